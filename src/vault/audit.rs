//! The audit chain in the store: lines are added in the transaction of what they tell, heads are signed.
//!
//! In: [`Deed`]s. Out: lines with gap-free numbers, checkpoints, the head to publish, and an export that ends with a signed
//! last line. Invariant: whatever changes the store adds its line in the same transaction, or neither is there.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::UtcMs;
use crate::wire::audit::{Deed, END, HEAD, HeadPayload, NOTHING_BEFORE, Place, head, head_of, line_of, read_line};
use crate::wire::seal::Signer;

/// Adds a line; the caller's transaction makes it last.
pub(super) fn append(connection: &Connection, epoch: u64, deed: &Deed, at: UtcMs) -> rusqlite::Result<u64> {
    let (n, prev) = newest(connection)?;
    let place = Place { n: n + 1, epoch, prev };
    let (line, _) = line_of(deed, &place, at);
    connection.prepare_cached("INSERT INTO audit (n, at_s, what, line) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        place.n,
        at.0.div_euclid(1000),
        deed.what,
        line
    ])?;
    Ok(place.n)
}

/// Number and hash of the newest line; of what came before all when there is none.
fn newest(connection: &Connection) -> rusqlite::Result<(u64, String)> {
    let last: Option<(u64, String)> = connection
        .prepare_cached("SELECT n, line FROM audit ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // A line that was edited in the store still says its hash; the chain then breaks at it, which is what verify tells.
    let hash_in = |line: &str| read_line(line).map_or_else(|_| NOTHING_BEFORE.to_owned(), |line| line.hash);
    if let Some((n, line)) = last {
        return Ok((n, hash_in(&line)));
    }
    // All lines may be gone by age: the checkpoint they left holds the place.
    let left: Option<(u64, String)> = connection
        .prepare_cached("SELECT n, line FROM checkpoint ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(left.map_or((0, NOTHING_BEFORE.to_owned()), |(n, line)| {
        (n, crate::wire::audit::read_head(&line).map_or_else(|| NOTHING_BEFORE.to_owned(), |head| head.head))
    }))
}

/// The chain's head, now, as kind `k`.
pub(super) fn head_now(connection: &Connection, k: &str, at: UtcMs) -> rusqlite::Result<HeadPayload> {
    let chain: String = connection.query_row("SELECT value FROM about WHERE name = 'chain'", [], |row| row.get(0))?;
    let (n, hash) = newest(connection)?;
    let epoch = super::number(connection, "epoch")?;
    let first: Option<u64> = connection.query_row("SELECT min(n) FROM audit", [], |row| row.get(0))?;
    Ok(HeadPayload { n, first: first.unwrap_or(n + 1), epoch, head: hash, ..head(k, &chain, at) })
}

/// Signs the head where lines came since the last checkpoint; gives it as text.
pub(super) fn checkpoint(connection: &Connection, signer: &Signer, at: UtcMs) -> rusqlite::Result<Option<String>> {
    let head = head_now(connection, HEAD, at)?;
    let last: Option<u64> = connection.query_row("SELECT max(n) FROM checkpoint", [], |row| row.get(0))?;
    if last.unwrap_or(0) >= head.n {
        return Ok(None);
    }
    let line = head_of(&head, signer);
    connection.execute("INSERT INTO checkpoint (n, line) VALUES (?1, ?2)", params![head.n, line])?;
    Ok(Some(line))
}

/// The whole chain, a line each: what was done, checkpoints behind the line they are of, and a signed end.
pub(super) fn export(
    connection: &Connection,
    signer: &Signer,
    at: UtcMs,
    line: &mut dyn FnMut(&str),
) -> rusqlite::Result<()> {
    // Lines and end are of one moment, whoever writes meanwhile.
    let moment = connection.unchecked_transaction()?;
    let mut lines = moment
        .prepare("SELECT n, 0 AS kind, line FROM audit UNION ALL SELECT n, 1, line FROM checkpoint ORDER BY n, kind")?;
    let mut rows = lines.query([])?;
    while let Some(row) = rows.next()? {
        line(row.get_ref(2)?.as_str().unwrap_or_default());
    }
    let checkpoints = moment.query_row("SELECT count(*) FROM checkpoint", [], |row| row.get(0))?;
    line(&head_of(&HeadPayload { checkpoints: Some(checkpoints), ..head_now(&moment, END, at)? }, signer));
    Ok(())
}

/// The hash of a line that is kept.
pub(super) fn hash_at(connection: &Connection, n: u64) -> rusqlite::Result<Option<String>> {
    let line: Option<String> =
        connection.query_row("SELECT line FROM audit WHERE n = ?1", [n], |row| row.get(0)).optional()?;
    Ok(line.and_then(|line| read_line(&line).ok()).map(|line| line.hash))
}

/// Drops lines that are older than `before_s`, as far as a checkpoint reaches that then holds their place. Clocks step: what
/// stands behind a line that is young enough stays.
pub(super) fn forget(connection: &Connection, before_s: i64) -> rusqlite::Result<usize> {
    let first_young: Option<u64> =
        connection.query_row("SELECT min(n) FROM audit WHERE at_s >= ?1", [before_s], |row| row.get(0))?;
    let last: Option<u64> = connection.query_row("SELECT max(n) FROM audit", [], |row| row.get(0))?;
    forget_to(connection, first_young.map_or(last.unwrap_or(0), |young| young.saturating_sub(1)))
}

/// Drops lines up to `n`, as far as a checkpoint reaches that then holds their place.
pub(super) fn forget_to(connection: &Connection, n: u64) -> rusqlite::Result<usize> {
    let anchor: Option<u64> =
        connection.query_row("SELECT max(n) FROM checkpoint WHERE n <= ?1", [n], |row| row.get(0))?;
    let Some(anchor) = anchor else { return Ok(0) };
    connection.execute("DELETE FROM checkpoint WHERE n < ?1", [anchor])?;
    connection.execute("DELETE FROM audit WHERE n <= ?1", [anchor])
}
