"""The one console that commands print to: as wide as the terminal, and wide enough where there is none."""

import sys

from rich.console import Console

#: A table with an id, an error and an advice; a file or a pipe cuts nothing.
_WIDE = 160
console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
