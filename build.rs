//! Binds the few functions of FFmpeg that read and decode a stream, from the headers of the system's own version.
//!
//! In: the headers of Debian's libavformat-dev, libavcodec-dev and libswscale-dev. Out: `ffmpeg.rs` in the build folder,
//! included by `src/capture/ffmpeg.rs` alone. Invariant: no function that encodes, writes or serves is bound; what is
//! not in this list cannot be called.

use std::path::PathBuf;

/// Everything the eye may ask of FFmpeg.
const FUNCTIONS: [&str; 35] = [
    "avformat_alloc_context",
    "avformat_open_input",
    "avformat_find_stream_info",
    "avformat_close_input",
    "avformat_network_init",
    "av_find_best_stream",
    "av_read_frame",
    "avcodec_find_decoder",
    "avcodec_alloc_context3",
    "avcodec_parameters_to_context",
    "avcodec_open2",
    "avcodec_free_context",
    "avcodec_send_packet",
    "avcodec_receive_frame",
    "avcodec_get_hw_config",
    "avcodec_get_name",
    "av_packet_alloc",
    "av_packet_unref",
    "av_packet_free",
    "av_frame_alloc",
    "av_frame_unref",
    "av_frame_free",
    "av_frame_move_ref",
    "av_dict_set",
    "av_dict_free",
    "av_log_set_level",
    "av_pix_fmt_desc_get",
    "av_guess_frame_rate",
    "av_hwdevice_ctx_create",
    "av_hwdevice_find_type_by_name",
    "av_hwframe_transfer_data",
    "av_buffer_ref",
    "av_buffer_unref",
    "sws_getCachedContext",
    "sws_scale",
];

/// What else is named: releasing the scaler, and the numbers these functions are called with.
const MORE: [&str; 2] = ["sws_freeContext", "av_version_info"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let multiarch = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|triplet| format!("-I/usr/include/{triplet}"));
    let headers = "#include <libavformat/avformat.h>\n#include <libavcodec/avcodec.h>\n#include <libavutil/hwcontext.h>\n\
                   #include <libavutil/pixdesc.h>\n#include <libswscale/swscale.h>\n";
    let builder = bindgen::Builder::default().header_contents("ffmpeg.h", headers).clang_args(multiarch);
    let builder = FUNCTIONS.iter().chain(&MORE).fold(builder, |builder, name| builder.allowlist_function(name));
    let bindings = builder
        .allowlist_var("AV_LOG_QUIET|AV_FRAME_FLAG_.*|AV_PIX_FMT_FLAG_.*|AV_CODEC_HW_CONFIG_.*|AV_CODEC_FLAG_.*|SWS_.*")
        .prepend_enum_name(false)
        .layout_tests(false)
        .derive_debug(false)
        .generate_comments(false)
        .generate();
    let bindings = bindings.unwrap_or_else(|error| {
        panic!(
            "the headers of FFmpeg cannot be read ({error}); run `make setup`, which installs libavformat-dev, \
             libavcodec-dev and libswscale-dev"
        )
    });
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names the build folder")).join("ffmpeg.rs");
    bindings.write_to_file(&out).expect("the build folder can be written");
    for library in ["avformat", "avcodec", "avutil", "swscale"] {
        println!("cargo:rustc-link-lib={library}");
    }
}
