"""Makes a function of embedded.h from files of ASCII text: embed.py FUNCTION OUTPUT FILE..."""

import pathlib
import sys

function, output, *files = sys.argv[1:]
parts = ['#include "daemon/ctl/hook/embedded.h"\n\nnamespace hooksmtpd::ctl {\nnamespace {\n\n'
         'constexpr EmbeddedFile kFiles[] = {\n']
for file in map(pathlib.Path, files):
    # A literal a line: one may not be longer than 64 KiB.
    lines = "".join(f'\n    R"#=({line})#="\n    "\\n"' for line in file.read_text("ascii").splitlines())
    parts.append(f'    {{"{file.name}",{lines}}},\n')
parts.append("};\n\n}  // namespace\n\nstd::span<const EmbeddedFile> " + function + "() { return kFiles; }\n\n"
             "}  // namespace hooksmtpd::ctl\n")
pathlib.Path(output).write_text("".join(parts))
