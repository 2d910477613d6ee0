// A Maildir (https://cr.yp.to/proto/maildir.html): a folder with a file for each message, that any number of programs
// may write to at once.

#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

namespace hooksmtpd::maildir {

// The call that failed, for people; `error` is its errno.
struct StoreError {
  int error;
  std::string text;

  bool is_full() const;  // of the disk, or a quota
};

struct Stored {
  std::filesystem::path file;  // as long as no mail reader moves it
  std::uint64_t size;
  std::string beginning;  // of the message, enough for most headers
};

class Maildir {
 public:
  explicit Maildir(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Makes the folders where they are missing, and removes what a crash left behind in tmp/.
  std::expected<void, StoreError> prepare() const;

  // Copies the file `message`, which has `size` octets, into new/. When this returns without an error the copy is on
  // disk to stay, a loss of power included. After an error there is no copy.
  std::expected<Stored, StoreError> store(const std::filesystem::path& message, std::uint64_t size) const;

  // Takes back a message that store() has put there.
  std::expected<void, StoreError> remove(const std::filesystem::path& file) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace hooksmtpd::maildir
