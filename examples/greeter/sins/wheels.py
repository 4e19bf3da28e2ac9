#!/usr/bin/env python3
"""Writes wheels of greeter with one sin each into the folder that is given."""

import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])


def wheel(sin, tag="py3-none-any", metadata=""):
    (folder / sin).mkdir()
    info = "greeter-1.2.0.dist-info"
    files = {
        "greeter.py": "def main():\n    print('greeter 1.2.0')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: greeter\nVersion: 1.2.0\n{metadata}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: wheels.py\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreeter = greeter:main\n",
    }
    with zipfile.ZipFile(folder / sin / f"greeter-1.2.0-{tag}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n")


wheel("wheel-of-others", tag="cp27-cp27m-win32")
wheel("wheel-for-newer-python", metadata="Requires-Python: >=3.99\n")
