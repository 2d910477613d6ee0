// The keys that a configuration names, read and checked.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/keyholder/key_set.h"
#include "daemon/sys/key_files.h"

namespace hooksmtpd::keyholder {

struct LoadedKeys {
  std::optional<KeySet> keys;          // empty: refused, and `sentences` say why
  std::vector<std::string> sentences;  // errors first, then warnings and what people must know about a reload
};

// Opens each key file, and each password file, by its name: a key that this process may read is reread at every reload.
// Where that fails, `at_start` may have it: what the launcher could read as root.
LoadedKeys load_keys(const config::Tls& tls, const std::vector<sys::KeyFile>& at_start);

}  // namespace hooksmtpd::keyholder
