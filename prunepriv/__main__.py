"""``python -m prunepriv``."""

if __name__ == "__main__":  # workers import this module again under another name: keep it empty
    from prunepriv.cli import main

    main()
