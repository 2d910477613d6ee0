"""Writes a C++ source with files in it that are served: embed.py OUTPUT NAMESPACE FOLDER FILE... FOLDER is that of their
URLs. Called by meson.build.

The bytes themselves are read by the assembler. A file's hash stands in the source, so a changed file changes the source.
"""

import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml", ".json": "application/json"}


def main() -> None:
    output, namespace, folder = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    files = [pathlib.Path(name).resolve() for name in sys.argv[4:]]
    assembler, declarations, rows = [], [], []
    for number, file in enumerate(files):
        begin, end = f"inbox_{namespace}_{number}", f"inbox_{namespace}_{number}_end"
        assembler.append(f'    ".local {begin}\\n{begin}: .incbin \\"{file}\\"\\n.local {end}\\n{end}:\\n"')
        declarations.append(f"extern const char {begin}[], {end}[];")
        url = "/" if file.name == "index.html" else folder + file.name
        etag = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        rows.append(f'      page::File{{"{url}", "{TYPES[file.suffix]}", "\\"{etag}\\"", {{{begin}, {end}}}}},')
    output.write_text("\n".join([
        '#include "hooks/inbox/page/page.h"', "",
        'asm(".pushsection .rodata\\n"', *assembler, '    ".popsection\\n");', "",
        'extern "C" {', *declarations, "}", "",
        f"namespace hooksmtpd::inbox::{namespace} {{", "",
        "std::span<const page::File> files() {",
        "  static const page::File kFiles[] = {", *rows, "  };",
        "  return kFiles;", "}", "",
        f"}}  // namespace hooksmtpd::inbox::{namespace}", ""]))


main()
