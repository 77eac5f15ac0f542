"""Run a command, and send it SIGINT while it imports a module or after the call of a function.

Usage: python interrupt_at.py POINT luigi|pipeline ARGUMENTS...

POINT is ``module`` or ``module:function`` or ``module:Class.method``.
"""

import importlib
import os
import signal
import sys

pressed = []


def press_ctrl_c():
    """Interrupt code that catches everything, as callbacks of libraries do; once in all threads."""
    pressed.append(True)
    if len(pressed) > 1:
        return
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # also KeyboardInterrupt
        return


class WhileImporting:
    """A finder of modules that finds none."""

    def find_spec(self, name, path=None, target=None):
        if name == point:
            press_ctrl_c()


def interrupt_after(module, name):
    """Replace a function by one that interrupts the process after its work."""
    *owners, name = name.split(".")
    owner = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    work = getattr(owner, name)

    def interrupted(*args, **kwargs):
        result = work(*args, **kwargs)
        press_ctrl_c()
        return result

    setattr(owner, name, interrupted)


point, *sys.argv = sys.argv[1:]
sys.meta_path.insert(0, WhileImporting())
if sys.argv[0] == "luigi":
    from luigi.cmdline import luigi_run
else:
    from pipeline.cli import main
if ":" in point:
    interrupt_after(*point.split(":"))
luigi_run(sys.argv[1:]) if sys.argv[0] == "luigi" else main()
