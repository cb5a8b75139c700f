"""Runs the module that the first argument names, with the others, for as long as standard input is open: that is for as
long as whoever started it lives.

The word `stay` on standard input takes the leash off. At the end of it the folder FLOWAGG_LEASH_FOLDER is removed.
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
