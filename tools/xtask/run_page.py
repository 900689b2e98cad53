"""Runs the Python of a page, block after block in one session, and compares what each prints with what the page shows.

A block of ```python may be followed, with nothing but blank lines between, by a block of ```text: its output, letter for
letter. With --write the page gets what was printed instead.

Usage: run_page.py PAGE [--write]   (in the folder that the page's commands wrote their files to)
"""

import contextlib
import io
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```python\n(.*?)^```\n(\n*^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def run(code, names):
    """What a block prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "the page", "exec"), names)  # The page is ours.
    # The page's files have no white space at the end of a line.
    lines = [line.rstrip() for line in printed.getvalue().rstrip().splitlines()]
    return "".join(line + "\n" for line in lines)


def main():
    page = Path(sys.argv[1])
    text = page.read_text(encoding="utf-8")
    names, wrong, blocks, printing = {}, 0, 0, 0

    def replaced(block):
        nonlocal wrong, blocks, printing
        code, _, shown = block.groups()
        printed = run(code, names)
        blocks += 1
        printing += bool(printed)
        if printed == (shown or ""):
            return block.group(0)
        wrong += 1
        sys.stdout.write(f"a block prints:\n{printed}and the page shows:\n{shown or ''}\n")
        return f"```python\n{code}```\n" + (f"\n```text\n{printed}```\n" if printed else "")

    text = BLOCK.sub(replaced, text)
    assert printing >= 2, f"{blocks} blocks, {printing} of which print: too few to say anything"
    if "--write" in sys.argv:
        page.write_text(text, encoding="utf-8")
    elif wrong:
        sys.exit(f"{wrong} of {blocks} blocks print something else: see above")
    print(f"{blocks} blocks, {printing} of which print: as the page shows")


if __name__ == "__main__":
    main()
