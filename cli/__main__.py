"""`python -m cli` is `finestra`."""

from cli.main import main

if __name__ == "__main__":
    main(prog_name="finestra")
