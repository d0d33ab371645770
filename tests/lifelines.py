"""What must be cleared away even when the test run is killed: a shell waits for the end of this process, then does it."""

import subprocess


class Lifeline:
    """`script` is run by a shell, with `arguments` as $1, $2 …, as soon as this process is gone; never after `cut()`.

    The shell reads from a pipe that ends with this process. It watches no process id: those are given to others in time.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        silent = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = ["sh", "-c", f"read -r _; {script}", "sh", *arguments]
        self._shell = subprocess.Popen(command, start_new_session=True, **silent)

    def cut(self) -> None:
        """What it stood for has been cleared away."""
        self._shell.kill()
        self._shell.communicate()
