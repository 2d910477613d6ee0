"""Writes a C++ source with the files of the page in it: embed.py OUTPUT FILE... Called by meson.build.

The bytes themselves are read by the assembler. A file's hash stands in the source, so a changed file changes the source.
"""

import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml"}


def main() -> None:
    output, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name).resolve() for name in sys.argv[2:]]
    assembler, declarations, rows = [], [], []
    for number, file in enumerate(files):
        begin, end = f"inbox_page_{number}", f"inbox_page_{number}_end"
        assembler.append(f'    ".local {begin}\\n{begin}: .incbin \\"{file}\\"\\n.local {end}\\n{end}:\\n"')
        declarations.append(f"extern const char {begin}[], {end}[];")
        url = "/" if file.name == "index.html" else f"/page/{file.name}"
        etag = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        rows.append(f'      File{{"{url}", "{TYPES[file.suffix]}", "\\"{etag}\\"", {{{begin}, {end}}}}},')
    output.write_text("\n".join([
        '#include "hooks/inbox/page/page.h"', "",
        'asm(".pushsection .rodata\\n"', *assembler, '    ".popsection\\n");', "",
        'extern "C" {', *declarations, "}", "",
        "namespace hooksmtpd::inbox::page {", "",
        "std::span<const File> files() {",
        "  static const File kFiles[] = {", *rows, "  };",
        "  return kFiles;", "}", "",
        "}  // namespace hooksmtpd::inbox::page", ""]))


main()
