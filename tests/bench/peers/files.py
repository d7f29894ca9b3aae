"""As many files as asked for, each with a line of its own."""

from io import StringIO
from os import environ

from pyinfra.operations import files

files.directory(name="Folder", path="/etc/small", mode="755")
for number in range(int(environ["BENCH_COUNT"])):
    files.put(name=f"File {number}", src=StringIO(f"{number}\n"), dest=f"/etc/small/{number}", mode="644")
