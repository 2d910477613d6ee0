// Which files are read, and which are not.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "config/load.h"
#include "tests/config/folder.h"

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

TEST_CASE("conf.d is read after the main file, by name, and only *.toml") {
  const Folder folder;
  folder.write("main.toml", "banner = \"main\"");
  CHECK_EQ(folder.banner(), "main");
  folder.write("conf.d/20.toml", "banner = \"twenty\"");
  folder.write("conf.d/10.toml", "banner = \"ten\"");
  folder.write("conf.d/30.toml~", "banner = \"a copy\"");
  folder.write("conf.d/.40.toml", "banner = \"hidden\"");
  CHECK_EQ(folder.banner(), "twenty");
}

TEST_CASE("--defaults reads no file") {
  const Folder folder;
  folder.write("main.toml", "banner = ");
  Request request = folder.request();
  request.defaults_only = true;
  const auto loaded = load(request);
  REQUIRE(loaded);
  CHECK_EQ(loaded->config.hooks.size(), 1);
}

TEST_CASE("a file that was asked for must be there, and a file") {
  const Folder folder;
  CHECK_EQ(folder.errors(), "~/main.toml: cannot be read: No such file or directory");
  fs::create_directory(folder / "main.toml");
  CHECK_EQ(folder.errors(), "~/main.toml: is not a file");
  fs::remove(folder / "main.toml");
  REQUIRE_EQ(::mkfifo((folder / "main.toml").c_str(), 0600), 0);
  CHECK_EQ(folder.errors(), "~/main.toml: is not a file");
}

TEST_CASE("what every user can change is not read") {
  const Folder folder;
  const fs::path file = folder.write("main.toml", "");
  ::chmod(file.c_str(), 0666);
  CHECK_EQ(folder.errors(), "~/main.toml: every user can change it: chmod o-w ~/main.toml");
  ::chmod(file.c_str(), 0664);
  CHECK_EQ(folder.errors(), "no error");
  folder.write("conf.d/x.toml", "");
  ::chmod((folder / "conf.d").c_str(), 01777);
  CHECK_EQ(folder.errors(), "~/conf.d: every user can add files to it: chmod o-w ~/conf.d");
}

TEST_CASE("a conf.d of somebody else is not read") {
  if (::geteuid() != 0) return;  // a folder can be given away by root only
  const Folder folder;
  const fs::path file = folder.write("main.toml", "");
  folder.write("conf.d/x.toml", "");
  REQUIRE_EQ(::chown((folder / "conf.d").c_str(), 12345, 12345), 0);
  CHECK_EQ(folder.errors(), "~/conf.d: belongs to user 12345, who owns nothing else here: chown root ~/conf.d");
  REQUIRE_EQ(::chown(file.c_str(), 12345, 12345), 0);
  CHECK_EQ(folder.errors(), "no error");
}

TEST_CASE("a file without permission is told with the way out") {
  if (::geteuid() == 0) return;  // root can read all
  const Folder folder;
  const fs::path file = folder.write("main.toml", "");
  ::chmod(file.c_str(), 0);
  CHECK_EQ(folder.errors(),
           fmt::format("~/main.toml: cannot be read: Permission denied (the daemon reads it as user {}: chgrp {} "
                       "~/main.toml && chmod g+r ~/main.toml)",
                       ::geteuid(), ::getegid()));
}

TEST_CASE("a file of 1 MiB is read, a larger one is not") {
  const Folder folder;
  folder.write("main.toml", "#" + std::string(1024 * 1024 - 1, 'x'));
  CHECK_EQ(folder.errors(), "no error");
  folder.write("main.toml", "#" + std::string(1024 * 1024, 'x'));
  CHECK_EQ(folder.errors(), "~/main.toml: is larger than 1 MiB: split it into files in conf.d");
}

TEST_CASE("one unreadable file does not hide the errors of another") {
  const Folder folder;
  folder.write("main.toml", "bannner = 1");
  folder.write("conf.d/x.toml/y", "");
  CHECK_EQ(folder.errors(),
           "~/conf.d/x.toml: is not a file\n~/main.toml:1:1: unknown key 'bannner' — did you mean 'banner'?");
}

}  // namespace
}  // namespace hooksmtpd::config
