#!/usr/bin/env python3
"""Writes greeter as a wheel (`wheel.py VERSION FOLDER`) and enters it into the folder's index, as PEP 427 and 503 have them."""

import base64
import hashlib
import pathlib
import sys
import zipfile

version, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / "greeter"
folder.mkdir(parents=True, exist_ok=True)
name = f"greeter-{version}-py3-none-any.whl"
info = f"greeter-{version}.dist-info"
files = {
    "greeter.py": f'''"""Says hello."""
import sys


def main():
    if sys.argv[1:] == ["--version"]:
        print("greeter {version}")
    else:
        print(f"Hello, {{sys.argv[1] if len(sys.argv) > 1 else 'world'}}!")
''',
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: greeter\nVersion: {version}\nSummary: Says hello\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: wheel.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{info}/entry_points.txt": "[console_scripts]\ngreeter = greeter:main\n",
}
record = ""
with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as wheel:
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
        wheel.writestr(path, text)
    wheel.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
links = "".join(
    f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>\n'
    for path in sorted(folder.glob("*.whl")))
(folder / "index.html").write_text(f"<!DOCTYPE html>\n{links}")
