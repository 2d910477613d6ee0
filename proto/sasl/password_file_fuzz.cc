// libFuzzer: any password file. What parses comes back from its entries; a mistake lies within the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proto/sasl/password_file.h"

using namespace hooksmtpd::sasl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = PasswordFile::parse(text);
  if (!file) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    for (const LineError& error : file.error()) {
      if (error.line < 1 || error.line > lines || error.column < 1 || error.column > size + 1) std::abort();
    }
    return 0;
  }
  std::string written;
  for (const Entry& entry : file->entries()) {
    if (file->find(entry.user) != &entry) std::abort();
    written += to_string(entry) + '\n';
  }
  const auto again = PasswordFile::parse(written);
  if (!again || !std::ranges::equal(again->entries(), file->entries()) || again->seed() != file->seed()) std::abort();
  return 0;
}
