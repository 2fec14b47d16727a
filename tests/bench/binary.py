"""How the program under test is called."""
import os
import subprocess


def new_store(path):
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)
    return path


def one_thread(binary):
    """The option that keeps `analyze` in one thread, where it would take several."""
    text = subprocess.run([binary, "analyze", "--help"], capture_output=True, text=True, check=True).stdout
    return ["--one-thread"] if "--one-thread" in text else []


def analyze(binary, store, capture):
    """The command, into a store that does not exist yet."""
    return [binary, "analyze", "--format", "json", *one_thread(binary), "--db", new_store(store), capture]
