// Files that are built in: the golden requests of the hook protocol (tests/golden/v1) and the skeletons of new hooks.

#pragma once

#include <span>
#include <string_view>

#include "proto/hook/event.h"

namespace hooksmtpd::ctl {

struct EmbeddedFile {
  std::string_view name;     // with its extension
  std::string_view content;  // each line with its LF
};
std::span<const EmbeddedFile> golden_files();    // "deliver.jsonl": requests, a line each
std::span<const EmbeddedFile> skeleton_files();  // "python", and so on

// Empty: there is none of that name.
std::string_view find_file(std::span<const EmbeddedFile> files, std::string_view name);

// The golden requests of an event; the first is the example in PROTOCOL.md.
std::string_view golden_requests(hook::Event event);
std::string_view first_golden(hook::Event event);

}  // namespace hooksmtpd::ctl
