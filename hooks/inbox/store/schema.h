// The tables, their versions, and what happens to a file that is none of ours any more.

#pragma once

#include <filesystem>
#include <string>

#include "hooks/inbox/store/database.h"

namespace hooksmtpd::inbox {

// Opens the database in `folder` to write, brings it to the newest version of the schema, and sets it up to be durable:
// what is committed is on disk. A file that is corrupt is set aside under another name beside it, never removed, and a
// new one is begun; `said` then tells so. Throws DatabaseError: it cannot be opened, or is of a newer version.
Database open_to_write(const std::filesystem::path& folder, std::string& said);

// The same file, while somebody has it open to write.
Database open_to_read(const std::filesystem::path& folder);

}  // namespace hooksmtpd::inbox
