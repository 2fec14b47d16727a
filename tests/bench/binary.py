"""How the program under test is called."""
import os


def new_store(path):
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)
    return path


def analyze(binary, store, capture):
    """The command, into a store that does not exist yet; in one thread, as other programs are."""
    return [binary, "analyze", "--one-thread", "--format", "json", "--db", new_store(store), capture]
