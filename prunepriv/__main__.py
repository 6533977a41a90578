"""``python -m prunepriv``."""

from prunepriv.cli import main

if __name__ == "__main__":
    main()
