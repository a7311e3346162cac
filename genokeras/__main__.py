"""``python -m genokeras``: the command ``genokeras``."""

from genokeras.cli import main

if __name__ == "__main__":
    main()
