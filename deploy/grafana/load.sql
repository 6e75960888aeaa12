-- psql -v ON_ERROR_STOP=1 -f load.sql < export.csv: loads one export. What was loaded for the same shop and time before is replaced, so
-- that an export can be loaded again; exports of different `--by` do not belong in one table.
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMP TABLE fresh (LIKE kehai) ON COMMIT DROP;
\copy fresh FROM pstdin WITH (FORMAT csv, HEADER true)
DELETE FROM kehai
USING (SELECT org, store, node, min(start_utc) AS first, max(start_utc) AS last FROM fresh GROUP BY org, store, node) AS new
WHERE kehai.start_utc BETWEEN new.first AND new.last
  AND kehai.org IS NOT DISTINCT FROM new.org
  AND kehai.store IS NOT DISTINCT FROM new.store
  AND kehai.node IS NOT DISTINCT FROM new.node;
INSERT INTO kehai SELECT * FROM fresh;
COMMIT;
