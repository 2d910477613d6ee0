// hooksmtpd: the launcher, and what becomes of it.
//
// This is the only code that is ever root, and launch() below is its recipe: one step a line, each with the privilege
// that it still needs. It ends with none, in a tree of processes that have none either (promise P1); then this process
// is the supervisor. A plain user takes the same steps below a user namespace of his own, where the kernel lets him
// have one: so he has namespaces and jails too, but one uid for all. Elsewhere the system call filters and Landlock are
// left.

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <expected>
#include <iterator>
#include <system_error>

#include "config/load.h"
#include "config/suggest.h"
#include "daemon/launcher/cgroup.h"
#include "daemon/launcher/command_line.h"
#include "daemon/launcher/drop.h"
#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/folders.h"
#include "daemon/launcher/hook_check.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/inherited.h"
#include "daemon/launcher/jail.h"
#include "daemon/launcher/key_files.h"
#include "daemon/launcher/layers.h"
#include "daemon/launcher/listeners.h"
#include "daemon/launcher/local_certificate.h"
#include "daemon/launcher/mounts.h"
#include "daemon/launcher/plans.h"
#include "daemon/launcher/privilege.h"
#include "daemon/launcher/programs.h"
#include "daemon/launcher/resources.h"
#include "daemon/launcher/run_hook.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/start_text.h"
#include "daemon/launcher/supervisor.h"
#include "daemon/launcher/supervisor_sandbox.h"
#include "daemon/launcher/tls_check.h"
#include "daemon/launcher/tls_init.h"
#include "daemon/launcher/tls_start.h"
#include "daemon/launcher/tree.h"
#include "daemon/launcher/views.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/error.h"
#include "daemon/sys/journal.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

// Below a home folder that is closed to root (no CAP_DAC_OVERRIDE) the files are read as its owner.
config::Loaded load_config(const config::Request& request) {
  const Owner reader = reader_of(request.file.value_or(config::kDefaultFile));
  const FileIdentity as(reader.uid, reader.gid);
  auto loaded = config::load(request);
  if (!loaded) throw StartError(EX_CONFIG, config::to_string(loaded.error()));
  return std::move(*loaded);
}

std::vector<std::filesystem::path> config_folders(const config::Request& request, const config::Loaded& loaded) {
  std::vector<std::filesystem::path> folders;
  for (const auto& file : loaded.files) folders.push_back(file.parent_path());
  // Where no file is yet, one may appear.
  const std::filesystem::path folder = request.file.value_or(config::kDefaultFile).parent_path();
  std::error_code error;
  if (folders.empty() && !request.defaults_only && std::filesystem::exists(folder, error)) folders.push_back(folder);
  return folders;
}

void require(const std::string& wrong) {
  if (!wrong.empty()) throw StartError(EX_SOFTWARE, "a privilege is left, so nothing is started: " + wrong);
}

void print_problems(const std::vector<config::Problem>& problems) {
  for (const config::Problem& problem : problems) fmt::print(stderr, "{}\n", config::to_string(problem));
}

// As at start; for a reload, which comes after the drop.
std::expected<config::Loaded, std::vector<config::Problem>> load_again(const config::Request& request) try {
  auto loaded = config::load(request);
  if (loaded) use_local_certificate(*loaded);
  return loaded;
} catch (const std::system_error& error) {
  std::vector<config::Problem> problems;
  problems.emplace_back().text = error.what();
  return std::unexpected(std::move(problems));
}

// Hooks that cannot work and certificates that nobody could use stop the start, whatever else is right.
std::vector<config::Problem> without_errors(std::vector<config::Problem> problems) {
  for (const config::Problem& problem : problems) {
    if (problem.severity == config::Severity::kError) throw StartError(EX_CONFIG, config::to_string(problems));
  }
  return problems;
}

sys::Fd keys_of(const config::Config& config) { return config::uses_tls(config) ? read_key_files(config) : sys::Fd(); }

Layers layers_for(const config::Config& config) {
  Layers layers = find_layers(config.sandbox_mode);
  require(layers, config.sandbox_mode);
  return layers;
}

// Whether a strict start would go on.
int check_sandbox(const CommandLine& line) {
  const Layers layers = find_layers(config::SandboxMode::kStrict);
  fmt::print("{}", line.json ? as_json(layers) + "\n" : as_text(layers));
  std::fflush(stdout);
  require(layers, config::SandboxMode::kStrict);
  return EX_OK;
}

int check_config(const CommandLine& line, const Programs& programs) {
  config::Loaded loaded = load_config(line.request);
  use_local_certificate(loaded);  // where there is none yet, a start makes it
  print_problems(loaded.warnings);
  const Identities identities = choose_identities(loaded.config);
  const Layers layers = find_layers(loaded.config.sandbox_mode);
  if (identities.separate) own_mount_namespace();  // hooks are tried in jails; nothing of that is seen outside
  print_problems(without_errors(check_hooks(loaded.config, identities, programs, layers)));
  print_problems(without_errors(check_tls(loaded.config, keys_of(loaded.config), identities, programs)));
  fmt::print("ok\n");
  return EX_OK;
}

std::size_t find_hook(const config::Config& config, std::string_view name) {
  std::vector<std::string_view> names;
  for (const config::Hook& hook : config.hooks) names.push_back(hook.name);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  throw StartError(EX_USAGE,
                   fmt::format("run-hook: no hook is named \"{}\"{}", name, config::did_you_mean(name, names)));
}

// A daemon that runs meanwhile is not disturbed: as root the spool that this makes is seen in our mount namespace only.
int run_one_hook(const CommandLine& line, const Programs& programs) {
  config::Loaded loaded = load_config(line.request);
  const std::size_t index = find_hook(loaded.config, line.hook);
  std::ranges::copy(line.read, std::back_inserter(loaded.config.hooks[index].sandbox.read));
  const Identities identities = choose_identities(loaded.config);
  const Layers layers = layers_for(loaded.config);
  if (identities.separate) own_mount_namespace();
  print_problems(without_errors(check_hooks(loaded.config, identities, programs, layers)));
  make_hook_folders(loaded.config, identities);
  const GroupFolders groups = prepare_groups(loaded.config.sandbox_mode);
  const SlotPlan plan = plan_hook({.config = loaded.config,
                                   .identities = identities,
                                   .programs = programs,
                                   .listeners = {},
                                   .bound = {},
                                   .of_hooks = {},
                                   .keys = nullptr,
                                   .layers = layers,
                                   .open_files = raise_open_files(),
                                   .groups = groups},
                                  index, 1);
  return run_hook(plan.keeper, plan.slot.argv, identities.supervisor);
}

// What was found on the way, in the order in which people should read it.
std::vector<std::string> warnings_of(const config::Loaded& loaded, const std::vector<config::Problem>& doubts,
                                     std::vector<std::string> listeners, const Folders& folders,
                                     std::vector<std::string> limits) {
  std::vector<std::string> warnings;
  for (const config::Problem& problem : loaded.warnings) warnings.push_back(config::to_string(problem));
  for (const config::Problem& problem : doubts) warnings.push_back(config::to_string(problem));
  for (std::string& warning : listeners) warnings.push_back(std::move(warning));
  for (std::string& warning : limits) warnings.push_back(std::move(warning));
  if (folders.leftovers != 0) warnings.push_back(fmt::format("spool leftovers={} removed", folders.leftovers));
  return warnings;
}

// The recipe, from a shell or systemd to the supervisor. Above each step: what it needs when root takes it.
Tree launch(const CommandLine& line, const Programs& programs, std::vector<Inherited> inherited, char** main_argv) {
  Tree tree;
  const Ports ports = line.ephemeral ? Ports::kEphemeral : Ports::kAsConfigured;

  // CAP_SETUID, CAP_SETGID: to read files below a folder that is closed to root.
  config::Loaded loaded = load_config(line.request);
  const config::Config& config = loaded.config;
  // Nothing.
  const Identities identities = choose_identities(config);
  const bool root = identities.separate;
  // CAP_SYS_ADMIN: namespaces are tried.
  const Layers layers = layers_for(config);
  // CAP_SYS_ADMIN.
  if (root) own_mount_namespace();
  // CAP_SYS_ADMIN, CAP_SETPCAP, CAP_SETUID, CAP_SETGID: each hook's command is tried in its jail, as its user.
  std::vector<config::Problem> doubts = without_errors(check_hooks(config, identities, programs, layers));
  // CAP_SETUID, CAP_SETGID: written by its folder's owner, in a process of its own.
  const std::vector<std::string> certificate_text = ensure_certificate(loaded, identities, programs);
  // CAP_SETUID, CAP_SETGID: read in a process of its own, so that no key is ever in this one.
  sys::Fd keys = keys_of(config);
  // CAP_SETPCAP, CAP_SETUID, CAP_SETGID: by a program without any of them.
  std::ranges::move(without_errors(check_tls(config, keys, identities, programs)), std::back_inserter(doubts));
  // CAP_NET_BIND_SERVICE, unless systemd has bound them; CAP_SETUID, CAP_SETGID for the folders of unix sockets.
  Listeners listeners = bind_listeners(config, ports, std::move(inherited));
  // CAP_SYS_ADMIN for the spool, CAP_SETUID, CAP_SETGID for the owners.
  Folders folders = make_folders(config, identities);
  // Nothing; beyond the hard limit CAP_SYS_RESOURCE.
  const rlimit open_files = raise_open_files();
  // Below our own group only, where that is root's: nothing more. As a plain user: where it was delegated.
  const GroupFolders groups = prepare_groups(config.sandbox_mode);
  // Nothing: what has a name outside of the small root that comes.
  tree.notify = connect_notify_socket();
  tree.watchdog = watchdog_time();
  if (sys::is_journal(STDERR_FILENO)) tree.journal = sys::connect_journal();
  // CAP_SYS_ADMIN.
  tree.proc = open_proc();
  tree.before = sys::SelfReport().read();
  sys::Pipe life = sys::make_pipe();
  // CAP_SYS_ADMIN, CAP_SETPCAP, CAP_SETUID, CAP_SETGID: the keepers get their namespaces, jails and identities.
  tree.slots = start_slots(plan_slots({.config = config,
                                       .identities = identities,
                                       .programs = programs,
                                       .listeners = listeners.sockets,
                                       .bound = listeners.bound,
                                       .of_hooks = listeners.of_hooks,
                                       .keys = keys.valid() ? &keys : nullptr,
                                       .layers = layers,
                                       .open_files = open_files,
                                       .groups = groups}),
                           life.read, main_argv);
  listeners.sockets.clear();   // the worker's keeper has them
  listeners.of_hooks.clear();  // and those of hooks theirs
  keys.reset();                // the keyholder's keeper has them
  life.read.reset();
  // CAP_SYS_ADMIN.
  const Jail view = supervisor_root(config, config_folders(line.request, loaded), loaded.read);
  if (root) enter(view);
  // Nothing; the last act as root.
  tree.isolation = layers.level();
  tree.demands = layers.demands();
  require(keepers_privilege(tree));
  // CAP_SETPCAP, CAP_SETUID, CAP_SETGID.
  drop_to(identities.supervisor);
  // ---- From here on there is no privilege anywhere. The supervisor checks itself once it has its filter, too.

  ::umask(077);
  tree.load_config = [request = line.request] { return load_again(request); };
  tree.life = std::move(life.write);
  tree.control = std::move(folders.control);
  tree.lock = std::move(folders.lock);
  tree.missing = layers.missing();
  tree.lock_in = [view, own = layers.own(), proc = tree.proc.get()] { enter_supervisor_sandbox(view, proc, own); };
  tree.warnings = warnings_of(loaded, doubts, std::move(listeners.warnings), folders,
                              root ? limits_missing(config, groups) : std::vector<std::string>());
  tree.start_text = first_message(config, listeners.bound);
  std::ranges::move(web_pages(config, listeners.bound), std::back_inserter(tree.start_text));
  tree.start_text.insert(tree.start_text.end(), certificate_text.begin(), certificate_text.end());
  tree.bound = std::move(listeners.bound);
  tree.origins = std::move(loaded.origins);
  tree.files = std::move(loaded.files);
  tree.config = std::move(loaded.config);
  return tree;
}

// A signal that comes from here on waits for the supervisor, which reads it as it wants.
void leave_signals_to_the_supervisor() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sys::must(::sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
}

int run(const CommandLine& line, const Programs& programs, std::vector<Inherited> inherited, char** main_argv) {
  Tree tree = launch(line, programs, std::move(inherited), main_argv);
  leave_signals_to_the_supervisor();
  if (line.ephemeral) {
    fmt::print("{}\n", bound_as_json(tree.bound));
    std::fflush(stdout);
  }
  return supervise(std::move(tree));
}

int start(int argc, char** argv) {
  const Programs programs = find_programs();
  if (const auto failed = run_other_program(programs, argc, argv)) return *failed;
  sys::fill_standard_descriptors();
  std::vector<Inherited> inherited = take_inherited();
  std::vector<int> kept;
  for (const Inherited& one : inherited) kept.push_back(one.socket.get());
  sys::close_all_but(kept);  // what our caller forgot to close is nobody's business here
  auto line = parse_command_line(argc, argv);
  if (!line) return line.error();
  ::umask(0);  // every mode below is written out, whatever umask our caller has
  line->request.machine = describe_machine(programs);
  switch (line->command) {
    case CommandLine::Command::kRun:
      return run(*line, programs, std::move(inherited), argv);
    case CommandLine::Command::kCheckConfig:
      return check_config(*line, programs);
    case CommandLine::Command::kCheckSandbox:
      return check_sandbox(*line);
    case CommandLine::Command::kRunHook:
      return run_one_hook(*line, programs);
    case CommandLine::Command::kTlsInit:
      if (line->certificate.folder.empty()) line->certificate.folder = default_certificate_folder();
      return tls_init(line->certificate, programs);
  }
  return EX_USAGE;
}

}  // namespace
}  // namespace hooksmtpd::launcher

int main(int argc, char** argv) {
  using hooksmtpd::launcher::StartError;
  try {
    return hooksmtpd::launcher::start(argc, argv);
  } catch (const StartError& error) {
    fmt::print(stderr, "hooksmtpd: {}\n", error.what());
    return error.status();
  } catch (const std::exception& error) {
    fmt::print(stderr, "hooksmtpd: {}\n", error.what());
    return EX_OSERR;
  }
}
