#include "daemon/sys/syscall_filter.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

#include "daemon/sys/error.h"

namespace hooksmtpd::sys {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

// Of libseccomp's ways to lay a filter out: a search in a sorted tree, rather than a walk along a list.
constexpr std::uint32_t kTree = 2;

// libseccomp returns -errno.
void must_work(int result, std::string_view call) {
  if (result < 0) throw_errno(call, -result);
}

std::uint32_t action_of(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kAllow:
      return SCMP_ACT_ALLOW;
    case Verdict::Kind::kRefuse:
      return SCMP_ACT_ERRNO(static_cast<std::uint16_t>(verdict.error));
    case Verdict::Kind::kKill:
      return SCMP_ACT_KILL_PROCESS;
  }
  return SCMP_ACT_KILL_PROCESS;
}

void add(const Context& context, const SyscallRule& rule, std::uint32_t otherwise) {
  const std::uint32_t action = action_of(rule.verdict);
  if (action == otherwise) return;  // libseccomp refuses a rule that changes nothing
  std::vector<scmp_arg_cmp> comparisons;
  for (const Condition& one : rule.when) {
    comparisons.push_back({.arg = one.argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = one.mask, .datum_b = one.value});
  }
  for (const std::string_view name : rule.calls) {
    const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
    if (number == __NR_SCMP_ERROR) throw std::logic_error(fmt::format("no system call is named {}", name));
    if (number < 0) continue;  // another architecture has it
    must_work(seccomp_rule_add_array(context.get(), action, number, static_cast<unsigned>(comparisons.size()),
                                     comparisons.data()),
              name);
  }
}

}  // namespace

void allow_sending(SyscallFilter& filter) {
  filter.rules.push_back(
      {.calls = {"sendto"}, .verdict = kAllow, .when = {has_none_of(3, MSG_FASTOPEN), equals(4, 0)}});
  filter.rules.push_back({.calls = {"sendmsg"}, .verdict = kAllow, .when = {has_none_of(2, MSG_FASTOPEN)}});
}

std::string syscall_filter_missing() {
  if (::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) return "the kernel has no seccomp (CONFIG_SECCOMP)";
  std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return {};
  return fmt::format("seccomp: {}", errno_text(errno));
}

void install(const SyscallFilter& filter) {
  const std::uint32_t otherwise = action_of(filter.otherwise);
  const Context context(seccomp_init(otherwise), &seccomp_release);
  if (!context) throw std::runtime_error("seccomp_init: no memory");
  must_work(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "seccomp: architecture");
  // The filter is no reason to pay for a weakness of the processor: who may not execute anything cannot exploit it.
  must_work(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_SSB, 1), "seccomp: speculation");
  must_work(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, kTree), "seccomp: layout");
  must_work(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_LOG, filter.logged ? 1 : 0), "seccomp: audit");
  for (const SyscallRule& rule : filter.rules) add(context, rule, otherwise);
  must_work(seccomp_load(context.get()), "seccomp");
}

}  // namespace hooksmtpd::sys
