// A key file, read by the keyholder itself or taken from what root had read at start.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/sys/key_files.h"

namespace hooksmtpd::keyholder {

struct ReadKeyFile {
  sys::KeyFile file;  // `error`: neither way
  std::string note;   // for people: "… stays in use"; "… can be read by every user"; mostly empty
};

// Symbolic links are followed (certbot's names are such), but it must be a regular file of at most kLargestKeyFile.
ReadKeyFile read_key_file(const std::filesystem::path& path, const std::vector<sys::KeyFile>& at_start);

// Overwrites the texts: they are secrets.
void wipe(std::vector<sys::KeyFile>& files);

}  // namespace hooksmtpd::keyholder
