//! The judge of an audit chain: whether every line is there, in its place, as it was written, and signed by the box.
//!
//! In: an export, a line at a time; the key it must be signed with; heads that were published meanwhile. Out: [`Verdict`],
//! every fault with the number of its line. Invariants: memory is bounded by the heads, not by the chain; what the key has
//! not signed is never called good.
//!
//! A chain begins with line 1, or behind the signed checkpoint that holds the place of lines that were kept long enough. It
//! ends with a signed end, so that a cut tail shows; between them each line names the hash of the one before.

use std::collections::BTreeMap;

use crate::clock::UtcMs;
use crate::wire::audit::{AuditLine, END, HEAD, HeadPayload, NOTHING_BEFORE, START, read_head, read_line};
use crate::wire::read::utc_of;
use crate::wire::seal::{PublicKey, SealError};

/// Something that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number in the chain.
    pub n: u64,
    /// Line of the file, from 1; 0 where no line of it is at fault.
    pub row: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// What was found of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the chain, as its signed heads say.
    pub chain: Option<String>,
    /// Lines that were read as such.
    pub lines: u64,
    /// Number of the first line.
    pub first: Option<u64>,
    /// Number and hash of the last line.
    pub last: Option<(u64, String)>,
    /// Epoch of the last line.
    pub epoch: u64,
    /// When the signed end was made, RFC 3339.
    pub ended: Option<String>,
    /// Signed checkpoints that fit.
    pub checkpoints: u64,
    /// Published heads that are part of the chain.
    pub heads: u64,
    /// Published heads of lines before those that are kept: they cannot be held against anything any more.
    pub heads_before: u64,
    /// Lines at which the clock ran back, and the first of them. No fault: clocks are set.
    pub clock_back: Option<(u64, u64)>,
    /// What is wrong, at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// How much more is wrong.
    pub faults_more: u64,
}

/// Judges one chain.
pub struct Judge {
    key: PublicKey,
    heads: BTreeMap<u64, Vec<HeadPayload>>,
    verdict: Verdict,
    row: u64,
    /// When the last line was written that says so.
    at: Option<UtcMs>,
    /// Number of the last line that the key has vouched for.
    vouched: u64,
    end: Option<HeadPayload>,
    /// Whether the hash of the last line is known: that of a line nobody could read is not.
    is_linked: bool,
}

impl Judge {
    /// A judge who believes this key.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self {
            key,
            heads: BTreeMap::new(),
            verdict: Verdict::default(),
            row: 0,
            at: None,
            vouched: 0,
            end: None,
            is_linked: true,
        }
    }

    /// Takes a head as it was published, before the chain is read: it must be part of it. False when it is none.
    pub fn published(&mut self, text: &str) -> bool {
        let Some(head) = read_head(text).filter(|head| head.k == HEAD) else { return false };
        match self.key.verify(text.as_bytes()) {
            Ok(()) => self.heads.entry(head.n).or_default().push(head),
            Err(why) => self
                .fault(head.n, &format!("the published head of it: {why} (a wipe begins a new chain under a new key)")),
        }
        true
    }

    /// Reads the next line, without its line feed.
    pub fn line(&mut self, text: &str) {
        self.row += 1;
        if self.end.is_some() {
            return self.fault(self.last_n(), "stands behind the signed end of the chain");
        }
        match read_head(text) {
            Some(head) => self.head(text, head),
            None => match read_line(text) {
                // A store numbers from 1 and no further than it can count.
                Ok(line) if (1..=N_MAX).contains(&line.n) => self.deed(line),
                Ok(line) => self.unreadable(text, &format!("its number {} is that of no line", line.n)),
                Err(_) if text.ends_with('\r') => self.unreadable(text, CARRIAGE_RETURN),
                Err(why) => self.unreadable(text, &why),
            },
        }
    }

    /// The verdict, once all lines were read.
    #[must_use]
    pub fn end(mut self) -> Verdict {
        let is_empty = std::mem::take(&mut self.row) == 0;
        let last = self.last_n();
        if is_empty {
            self.fault(0, "there is nothing: no line, and no signed end");
        } else if self.end.is_none() {
            let what = format!("the signed end is missing: cut off behind line {last}, or not an export");
            self.fault(last, &what);
        }
        self.judge_published();
        self.verdict
    }

    fn last_n(&self) -> u64 {
        self.verdict.last.as_ref().map_or(0, |(n, _)| *n)
    }

    fn fault(&mut self, n: u64, what: &str) {
        if self.verdict.faults.len() < FAULTS_MAX {
            self.verdict.faults.push(Fault { n, row: self.row, what: what.to_owned() });
        } else {
            self.verdict.faults_more += 1;
        }
    }

    /// A line that cannot be read, or whose hash is not that of its bytes: its place is taken all the same.
    fn unreadable(&mut self, text: &str, why: &str) {
        let n = self.last_n() + 1;
        self.fault(n, why);
        // What it says of itself binds the next line to it.
        let said = hash_said(text);
        self.is_linked = said.is_some();
        self.verdict.first.get_or_insert(n);
        self.verdict.last = Some((n, said.unwrap_or_default()));
    }

    fn deed(&mut self, line: AuditLine) {
        self.verdict.lines += 1;
        let Some((last, hash)) = self.verdict.last.clone() else { return self.first(line) };
        let (n, next) = (line.n, last + 1);
        if n == last {
            return self.fault(n, "stands there twice");
        }
        if n < last {
            return self.fault(n, &format!("stands behind line {last}: moved, or repeated"));
        }
        if n > next {
            let missing =
                if n == next + 1 { format!("line {next} is") } else { format!("lines {next} to {} are", n - 1) };
            self.fault(next, &format!("{missing} missing between {last} and {n}"));
        } else if self.is_linked && line.prev != hash {
            let what = format!("names another line before it: line {last} was exchanged, or changed and sealed anew");
            self.fault(n, &what);
        }
        self.judge_epoch(&line);
        self.pass(line);
    }

    /// The first line of all, or the first that is left when nothing holds the place of those before.
    fn first(&mut self, line: AuditLine) {
        self.verdict.first = Some(line.n);
        if line.n != 1 {
            let what = format!("lines 1 to {} are missing, and no signed checkpoint holds their place", line.n - 1);
            self.fault(line.n, &what);
        } else if line.prev != NOTHING_BEFORE {
            self.fault(1, "names a line before it, and it is the first");
        }
        self.pass(line);
    }

    fn judge_epoch(&mut self, line: &AuditLine) {
        let before = self.verdict.epoch;
        let begins = line.what == START;
        let is_right = if begins { line.epoch > before } else { line.epoch == before };
        // Where lines are missing their starts are too.
        let is_known = self.last_n() + 1 == line.n && self.is_linked;
        if line.epoch < before || (is_known && !is_right) {
            self.fault(line.n, &format!("is of epoch {} behind one of epoch {before}", line.epoch));
        }
    }

    /// Takes a line as the last so far.
    fn pass(&mut self, line: AuditLine) {
        // As times and not as text: a whole second is written without its thousandths.
        let at = utc_of(&line.at);
        if at.is_some() && at < self.at {
            let (count, first) = self.verdict.clock_back.unwrap_or((0, line.n));
            self.verdict.clock_back = Some((count + 1, first));
        }
        self.at = at.or(self.at);
        self.verdict.first.get_or_insert(line.n);
        self.verdict.epoch = line.epoch.max(self.verdict.epoch);
        self.is_linked = true;
        self.meet(line.n, &line.hash, line.epoch);
        self.verdict.last = Some((line.n, line.hash));
    }

    /// Holds the published heads of a line against it.
    fn meet(&mut self, n: u64, hash: &str, epoch: u64) {
        for head in self.heads.remove(&n).unwrap_or_default() {
            if head.head == hash && head.epoch == epoch {
                self.verdict.heads += 1;
            } else {
                self.fault(n, "was published with another hash: the chain was changed or rolled back behind it");
            }
        }
    }

    fn head(&mut self, text: &str, head: HeadPayload) {
        if let Err(why) = self.key.verify(text.as_bytes()) {
            return self.unsigned(&head, why);
        }
        match &self.verdict.chain {
            Some(chain) if *chain != head.chain => {
                return self.fault(head.n, "is signed, and of another chain");
            }
            _ => self.verdict.chain = Some(head.chain.clone()),
        }
        if head.k == END { self.signed_end(head) } else { self.checkpoint(head) }
    }

    fn unsigned(&mut self, head: &HeadPayload, why: SealError) {
        let name = if head.k == END { "the end of the chain" } else { "a checkpoint" };
        self.fault(head.n, &format!("{name}: {why}"));
        // It is an end all the same: that it was exchanged is told, not that it is missing.
        if head.k == END {
            self.end = Some(head.clone());
        }
    }

    fn checkpoint(&mut self, head: HeadPayload) {
        let Some((last, hash)) = self.verdict.last.clone() else {
            // It holds the place of all lines up to its own.
            self.verdict.epoch = head.epoch;
            self.vouched = head.n;
            self.verdict.checkpoints += 1;
            self.meet(head.n, &head.head, head.epoch);
            self.verdict.last = Some((head.n, head.head));
            return;
        };
        if head.n > last {
            return self
                .fault(last + 1, &format!("lines {} to {} are missing before their checkpoint", last + 1, head.n));
        }
        if head.n < last {
            return self.fault(head.n, &format!("a checkpoint of it stands behind line {last}: moved, or repeated"));
        }
        if head.n == self.vouched {
            return self.fault(head.n, "its checkpoint stands there twice");
        }
        if head.head != hash && self.is_linked {
            let what = format!(
                "its signed checkpoint names another hash: something in lines {} to {last} was changed and all after it sealed anew",
                self.vouched + 1
            );
            return self.fault(last, &what);
        }
        self.vouched = last;
        self.verdict.checkpoints += 1;
    }

    fn signed_end(&mut self, head: HeadPayload) {
        let (last, hash) = self.verdict.last.clone().unwrap_or((0, NOTHING_BEFORE.to_owned()));
        if head.n > last {
            let what = format!("cut off: lines {} to {} are missing before the signed end", last + 1, head.n);
            self.fault(last + 1, &what);
        } else if head.n < last {
            let what = format!(
                "lines {} to {last} are not vouched for: the signed end is that of line {}",
                head.n + 1,
                head.n
            );
            self.fault(head.n + 1, &what);
        } else if head.head != hash && self.is_linked {
            let what = format!(
                "the signed end names another hash: something in lines {} to {last} was changed and all after it sealed anew",
                self.vouched + 1
            );
            self.fault(last, &what);
        }
        let first = self.verdict.first.unwrap_or(last + 1);
        if head.first < first {
            let what = format!("lines {} to {} are missing at the begin", head.first, first - 1);
            self.fault(head.first, &what);
        }
        let (there, were) = (self.verdict.checkpoints, head.checkpoints.unwrap_or(0));
        if there < were {
            self.fault(last, &format!("{} of {were} checkpoints before it do not stand there as signed", were - there));
        }
        self.verdict.ended = Some(head.at.clone());
        self.end = Some(head);
    }

    /// What is left of the published heads: of lines before those that are kept, or of lines that are not there.
    fn judge_published(&mut self) {
        let (first, last) = (self.verdict.first.unwrap_or(self.last_n() + 1), self.last_n());
        for (n, heads) in std::mem::take(&mut self.heads) {
            if n < first {
                self.verdict.heads_before += heads.len() as u64;
            } else if n > last {
                let what = format!("was published, and the chain ends at line {last}: rolled back, or an older export");
                self.fault(n, &what);
            } else {
                self.fault(n, "was published, and cannot be found in the chain");
            }
        }
    }
}

/// The hash a line names at its end, whether it fits or not.
fn hash_said(text: &str) -> Option<String> {
    let (_, tail) = text.rsplit_once(",\"hash\":\"")?;
    tail.strip_suffix("\"}").filter(|hash| hash.len() == NOTHING_BEFORE.len()).map(str::to_owned)
}

/// Highest number a store gives.
const N_MAX: u64 = i64::MAX as u64;
const CARRIAGE_RETURN: &str = "ends with a carriage return: the file was written anew with the line ends of another system; hand it over as it was exported";
/// Faults that are told one by one; a chain of a year may have more.
pub const FAULTS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::audit::{Deed, Place, line_of};
    use crate::wire::seal::Signer;

    /// Whether, and where first, the clock ran back in a chain of lines of these times, ms since 1970.
    fn ran_back(times: &[i64]) -> Option<(u64, u64)> {
        let (mut judge, mut prev) = (Judge::new(Signer::new(&[5; 32]).public()), NOTHING_BEFORE.to_owned());
        for (n, at_ms) in (1..).zip(times) {
            let (line, hash) = line_of(&Deed::done(START), &Place { n, epoch: 1, prev }, UtcMs(*at_ms));
            judge.line(&line);
            prev = hash;
        }
        judge.end().clock_back
    }

    #[test]
    fn a_clock_runs_back_where_its_time_does_and_not_where_its_text_does() {
        let ten_s = 1_767_607_210_000;
        assert_eq!(ran_back(&[ten_s, ten_s + 1, ten_s + 10, ten_s + 12, ten_s + 100, ten_s + 101]), None);
        assert_eq!(ran_back(&[ten_s + 1, ten_s, ten_s]), Some((1, 2)));
    }
}
