"""Compares each lane's Parquet with its CSV and with the page that describes both.

The readers are DuckDB, which did not write the Parquet, and Python's own csv module, which knows no types:
a CSV field must be, letter for letter, what the Parquet value is as text.

Usage: compare_tables.py PAGE FOLDER LANE..   (the folder holds LANE.csv and LANE.parquet of each)
"""

import csv
import re
import sys
from decimal import Decimal
from pathlib import Path

import duckdb

TYPES = {"u64": "UBIGINT", "i64": "BIGINT", "u32": "UINTEGER", "bool": "BOOLEAN", "text": "VARCHAR"}
ROWS_AT_ONCE = 10_000


def described(page, lane):
    """The columns of a lane as the page has them: name and type."""
    section = page.split(f"\n## `{lane}`\n")[1].split("\n## ")[0]
    columns = re.findall(r"^\| `(\w+)` \| `([\w(),]+)` \|", section, re.MULTILINE)
    return [(name, TYPES.get(kind) or kind.upper()) for name, kind in columns]


def text(value):
    """What CSV says of a value. Null is an empty field, and there are no empty texts."""
    if value is None:
        return ""
    assert value != "", "an empty text, which CSV can not tell from null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return "0" if plain == "-0" else plain
    return str(value)


def compare(page, folder, lane):
    """Counts rows and nulls, or says where the two differ."""
    path = str(folder / f"{lane}.parquet")
    table = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [path])
    found = [(name, str(kind)) for name, kind, *_ in table.description]
    columns = described(page, lane)
    assert found == columns, f"{lane}: columns {found}, not {columns}"
    rows, nulls = 0, 0
    with open(folder / f"{lane}.csv", newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        assert next(lines) == [name for name, _ in columns], f"{lane}: another header"
        while batch := table.fetchmany(ROWS_AT_ONCE):
            for row in batch:
                rows += 1
                line, told = next(lines, None), [text(value) for value in row]
                assert line == told, f"{lane}, row {rows}: CSV {line}, Parquet {told}"
                nulls += row.count(None)
        assert next(lines, None) is None, f"{lane}: CSV has more than {rows} rows"
    return rows, nulls


def main():
    page, folder = Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2])
    for lane in sys.argv[3:]:
        rows, nulls = compare(page, folder, lane)
        assert rows, f"{lane}: no rows, so that nothing was compared"
        print(f"{lane:<8}{rows:>9} rows {nulls:>9} nulls: the same")


if __name__ == "__main__":
    main()
