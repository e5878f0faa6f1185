"""Runs a program and ends it when standard input closes, so that nothing outlives a test run that is killed.

Usage: supervise.py PROGRAM [ARGUMENT...]

The line `kill` on standard input sends SIGKILL; every other line, and its end, sends SIGTERM. A program that is still
there GRACE seconds after the end gets SIGKILL. The exit status is the program's; 128 + N if signal N ended it.
"""

import signal
import subprocess
import sys
import threading

# Above the gateway's own deadline for draining.
GRACE = 15


def main() -> int:
    # Ctrl-C reaches the program too; this process stays to see it end. A handler, not SIG_IGN: that would be inherited.
    signal.signal(signal.SIGINT, lambda *_: None)
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def watch() -> None:
        for line in sys.stdin:
            program.kill() if line.strip() == "kill" else program.terminate()
        program.terminate()
        try:
            program.wait(GRACE)
        except subprocess.TimeoutExpired:
            program.kill()

    threading.Thread(target=watch, daemon=True).start()
    status = program.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
