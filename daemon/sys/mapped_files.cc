#include "daemon/sys/mapped_files.h"

#include <elf.h>
#include <link.h>

#include <filesystem>

namespace hooksmtpd::sys {
namespace {

// The name in PT_INTERP: the kernel opens the dynamic linker by it.
const char* interpreter(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    if (header.p_type == PT_INTERP) return reinterpret_cast<const char*>(info.dlpi_addr + header.p_vaddr);
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> mapped_files() {
  std::vector<std::string> files;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        auto& names = *static_cast<std::vector<std::string>*>(found);
        if (const char* const linker = interpreter(*info)) names.emplace_back(linker);
        if (info->dlpi_name[0] == '/') names.emplace_back(info->dlpi_name);
        return 0;
      },
      &files);
  files.push_back(std::filesystem::read_symlink("/proc/self/exe"));
  return files;
}

}  // namespace hooksmtpd::sys
