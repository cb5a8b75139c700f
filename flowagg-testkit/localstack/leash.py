"""Runs LocalStack for as long as standard input is open, that is for as long as whoever started it lives.

The word `stay` on standard input takes the leash off. At the end of it the folder FILESYSTEM_ROOT is removed.
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
runpy.run_module("localstack.runtime.main", run_name="__main__")
