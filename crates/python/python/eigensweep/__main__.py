"""``python -m eigensweep``: the program, beside this interpreter or on PATH."""

import os
import shutil
import sys
import sysconfig

places = (sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath))
program = shutil.which("eigensweep", path=os.pathsep.join(places))
if program is None:
    sys.exit("eigensweep: the program is not on PATH; the package's wheel brings it along")
os.execv(program, [program, *sys.argv[1:]])
