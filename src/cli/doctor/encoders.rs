//! Which libraries of the system that an eye loads could encode a picture or a film, though nothing of ours asks them to.
//!
//! In: an eye's program, as the dynamic loader would load it, and the runtime library. Out: names of libraries, and
//! symbols of the eye's own that are for encoding. Invariant: a library is judged by what it offers, never by its name.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use elf::ElfStream;
use elf::endian::AnyEndian;

/// What an eye loads.
pub struct Loaded {
    /// Names of libraries that could encode, in order.
    pub encoders: Vec<String>,
    /// How many libraries there are in all.
    pub libraries: usize,
    /// Symbols for encoding that the eye itself asks for: none, unless somebody has changed it.
    pub asked_for: Vec<String>,
}

/// What the eye `program` loads, with the runtime library it loads when it is at work.
///
/// # Errors
/// Why the loader does not say.
pub fn loaded_by(program: &Path, runtime: Option<&Path>) -> Result<Loaded, String> {
    let libraries = libraries_of(program)?.into_iter().chain(runtime.map(Path::to_path_buf));
    let libraries: BTreeSet<PathBuf> = libraries.collect();
    let mut encoders = BTreeSet::new();
    for library in &libraries {
        let symbols = dynamic_symbols(library, Side::Offered)?;
        if symbols.iter().any(|symbol| encodes(symbol)) {
            encoders.insert(library.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    let mut asked_for = dynamic_symbols(program, Side::AskedFor)?;
    asked_for.retain(|symbol| encodes(symbol));
    Ok(Loaded { encoders: encoders.into_iter().collect(), libraries: libraries.len(), asked_for })
}

/// Paths of the shared libraries the loader would load for a program; it does not run.
fn libraries_of(program: &Path) -> Result<Vec<PathBuf>, String> {
    let said = |why: &dyn std::fmt::Display| format!("{}: {why}", program.display());
    let listed = Command::new(program).env_clear().env("LD_TRACE_LOADED_OBJECTS", "1").output();
    let listed = listed.map_err(|error| said(&error))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    if let Some(missing) = text.lines().find(|line| line.contains("not found")) {
        return Err(said(&missing.trim()));
    }
    // "\tlibz.so.1 => /lib/libz.so.1 (0x…)"; the loader itself and the kernel's page have no arrow.
    let paths = text.lines().filter_map(|line| line.split_once("=> ")?.1.split(" (").next().map(PathBuf::from));
    let paths: Vec<PathBuf> = paths.collect();
    if paths.is_empty() { Err(said(&"the loader lists no library")) } else { Ok(paths) }
}

/// Which side of the dynamic symbol table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Defined here for others.
    Offered,
    /// Undefined here, found elsewhere.
    AskedFor,
}

fn dynamic_symbols(path: &Path, side: Side) -> Result<Vec<String>, String> {
    let said = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = File::open(path).map_err(|error| said(&error))?;
    let mut elf = ElfStream::<AnyEndian, _>::open_stream(file).map_err(|error| said(&error))?;
    let table = elf.dynamic_symbol_table().map_err(|error| said(&error))?;
    let Some((symbols, names)) = table else { return Ok(Vec::new()) };
    let wanted = symbols.iter().filter(|symbol| symbol.is_undefined() == (side == Side::AskedFor));
    Ok(wanted.filter_map(|symbol| names.get(symbol.st_name as usize).ok()).map(str::to_owned).collect())
}

/// Whether a symbol of this name is there to encode pictures or film.
fn encodes(symbol: &str) -> bool {
    ENCODING.iter().any(|name| symbol.starts_with(name)) || ENCODING_CLASSES.iter().any(|name| symbol.contains(name))
}

/// How the functions begin with which the known encoders of pictures and film are called.
const ENCODING: [&str; 44] = [
    "avcodec_find_encoder",
    "avcodec_send_frame",
    "avcodec_receive_packet",
    "avformat_write_header",
    "av_write_frame",
    "av_interleaved_write_frame",
    "x264_encoder_encode",
    "x265_encoder_encode",
    "vpx_codec_encode",
    "aom_codec_encode",
    "svt_av1_enc_send_picture",
    "svt_hevc_enc_send_picture",
    "rav1e_send_frame",
    "xvid_encore",
    "th_encode_ycbcr_in",
    "WelsCreateSVCEncoder",
    "kvz_api_get",
    "MFXVideoENCODE_EncodeFrameAsync",
    "gst_video_encoder_get_type",
    "WebPEncode",
    "WebPAnimEncoderAdd",
    "JxlEncoderProcessOutput",
    "opj_encode",
    "jpeg_start_compress",
    "gdcmjpeg8_jpeg_start_compress",
    "gdcmjpeg12_jpeg_start_compress",
    "gdcmjpeg16_jpeg_start_compress",
    "tjCompress",
    "tj3Compress",
    "JpegLsEncode",
    "png_write_image",
    "png_write_row",
    "TIFFWriteScanline",
    "TIFFWriteEncodedStrip",
    "EGifPutLine",
    "jbg_enc_out",
    "lerc_encode",
    "heif_context_encode_image",
    "avifEncoderWrite",
    "gdk_pixbuf_save",
    "cairo_surface_write_to_png",
    "GDALCreateCopy",
    "_ZN2cv7imwrite",
    "_ZN2cv8imencode",
];

/// C++ classes that write pictures or film, as their names are mangled.
const ENCODING_CLASSES: [&str; 4] = ["2cv11VideoWriter", "10OutputFileC1E", "9PNGWriterC1E", "4gdcm11ImageWriter"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_judged_by_what_it_does() {
        for symbol in ["avcodec_send_frame", "jpeg_start_compress", "_ZN2cv11VideoWriter4openE", "x264_encoder_encode"]
        {
            assert!(encodes(symbol), "{symbol}");
        }
        for symbol in ["avcodec_send_packet", "avcodec_receive_frame", "jpeg_start_decompress", "sws_scale", "write"] {
            assert!(!encodes(symbol), "{symbol}");
        }
    }

    #[test]
    fn what_is_no_program_has_its_reason() {
        let error = loaded_by(Path::new("/nonexistent/eye"), None).err();
        assert!(error.is_some_and(|why| why.contains("/nonexistent/eye")));
    }
}
