"""Runs the module named by the first argument, with the remaining arguments, until standard input closes: that is, until
the process that started it ends.

The line `stay` on standard input detaches it. Otherwise the folder FLOWAGG_LEASH_FOLDER is deleted at the end.
"""

import os
import runpy
import shutil
import sys
import threading


def leash():
    if sys.stdin.readline().strip() != "stay":
        shutil.rmtree(os.environ["FLOWAGG_LEASH_FOLDER"], ignore_errors=True)
        os._exit(0)


threading.Thread(target=leash, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__")
