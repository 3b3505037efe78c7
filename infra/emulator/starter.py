"""What both emulators share: they end with whoever started them."""

from __future__ import annotations

import os
import signal
import threading


def end_with_starter() -> None:
    """Ends this process in order once its standard input, a pipe that the starter holds, is closed.

    So nothing is left behind even when the starter is killed.
    """

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
