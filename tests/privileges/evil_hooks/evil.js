#!/usr/bin/node
// The same as evil.py with what Node has. The file `report` gets {"act": ..., "got": ...}; "done" means that it was allowed.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const dgram = require('node:dgram');
const dns = require('node:dns/promises');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const { Worker } = require('node:worker_threads');

const here = process.cwd();
const program = process.argv[1];
const known = {}; // what the message says
const keeper = () => Number(known.keeper_pid ?? 1); // 1 in a namespace of its own

// A command: as it ended.
function run(command, ...rest) {
  const ended = spawnSync(command, rest, { stdio: 'ignore', timeout: 20000 });
  if (ended.error) throw ended.error;
  if (ended.signal) throw new Error(`killed ${os.constants.signals[ended.signal]}`);
  if (ended.status) throw new Error(`exit ${ended.status}`);
}

// Until an emitter has done what `event` says, or failed.
function until(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.once(event, resolve);
    emitter.once('error', reject);
  });
}

async function connect(options) {
  const socket = net.connect(options);
  try {
    await until(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

async function listen(options) {
  const server = net.createServer().listen(options);
  await until(server, 'listening');
  server.close();
}

// Calls by number have no way out of JavaScript: Perl makes them.
const call = (...numbers) => run('perl', '-e', `
  my $got = syscall(shift(@ARGV) + 0, map { /^-?[0-9]+$/ ? $_ + 0 : $_ } @ARGV); exit($! + 0) if $got == -1`, ...numbers.map(String));

function fill(file) {
  const open = fs.openSync(file, 'w');
  try {
    for (;;) fs.writeSync(open, Buffer.alloc(1 << 20, 'x'));
  } finally {
    fs.closeSync(open);
    fs.unlinkSync(file);
  }
}

// Node makes its pipes non-blocking; what does not fit now is left out.
function write(descriptor, text) {
  try {
    fs.writeSync(descriptor, text);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
  }
}

const acts = {
  // files of others
  read_a_file_of_another_hook: () => fs.readFileSync(known.victim_file),
  write_beside_it: () => fs.writeFileSync(path.join(path.dirname(known.victim_file), 'x'), 'x'),
  walk_up_to_it: () => fs.readFileSync('../victim/secret'),
  follow_a_link_to_it: () => { fs.symlinkSync(known.victim_file, 'link-to-victim'); fs.readFileSync('link-to-victim'); },
  watch_it: () => fs.watch(known.victim_file).close(),
  copy_it: () => fs.cpSync(known.victim_file, 'stolen'),
  see_who_has_state: () => fs.readdirSync('..').join(' '),
  make_state_for_a_stranger: () => fs.mkdirSync('../stranger'),
  make_state_readable_by_all: () => fs.chmodSync('.', 0o777),
  give_state_away: () => fs.chownSync('.', process.getuid(), process.getgid()),
  move_state_away: () => fs.renameSync(here, `${here}.old`),
  read_a_message_of_another_hook: () => fs.readFileSync(known.victim_message),
  see_who_has_a_spool: () => fs.readdirSync(path.dirname(known.spool)).join(' '),
  list_own_spool: () => fs.readdirSync(known.spool),
  write_into_own_spool: () => fs.writeFileSync(`${known.spool}/x`, 'x'),
  change_own_message: () => fs.appendFileSync(known.message, 'x'),
  shorten_own_message: () => fs.truncateSync(known.message, 0),
  remove_own_message: () => fs.unlinkSync(known.message),
  keep_own_message_by_a_link: () => fs.linkSync(known.message, 'kept'),
  change_the_times_of_own_message: () => fs.utimesSync(known.message, 1, 1),
  talk_to_a_socket_of_another_hook: () => connect({ path: known.victim_socket }),
  take_the_place_of_its_socket: () => listen({ path: `${known.victim_socket}.2` }),
  talk_to_the_supervisor: () => connect({ path: known.control }),
  read_the_configuration: () => fs.readFileSync(known.config),
  read_the_private_key: () => fs.readFileSync(known.key),
  // files of the system
  read_shadow: () => fs.readFileSync('/etc/shadow'),
  write_passwd: () => fs.appendFileSync('/etc/passwd', 'root::0:0::/:/bin/sh\n'),
  write_into_etc: () => fs.writeFileSync('/etc/x', 'x'),
  write_into_usr: () => fs.writeFileSync('/usr/bin/x', 'x'),
  write_into_root: () => fs.writeFileSync('/x', 'x'),
  write_into_dev: () => fs.writeFileSync('/dev/x', 'x'),
  write_a_heap_into_usr: () => v8.writeHeapSnapshot('/usr/x'),
  write_own_program: () => fs.appendFileSync(program, 'x'),
  replace_own_program: () => { fs.copyFileSync(program, 'copy'); fs.renameSync('copy', program); },
  remove_own_program: () => fs.rmSync(program),
  make_own_program_set_user_id: () => fs.chmodSync(program, 0o4755),
  write_the_interpreter: () => fs.appendFileSync(process.execPath, 'x'),
  write_the_sdk: () => fs.appendFileSync(`${process.env.NODE_PATH}/hooksmtpd.js`, 'x'),
  link_a_system_file: () => fs.linkSync('/usr/bin/env', 'env'),
  look_into_the_home_of_root: () => fs.readdirSync('/root'),
  go_into_the_home_of_root: () => process.chdir('/root'),
  follow_a_link_out: () => { fs.symlinkSync('/proc/1/root/etc/shadow', 'link-out'); fs.readFileSync('link-out'); },
  open_the_memory_of_the_machine: () => fs.openSync('/dev/mem'),
  open_a_disk: () => fs.openSync(known.disk),
  open_a_terminal: () => fs.openSync('/dev/tty'),
  make_a_terminal: () => fs.openSync('/dev/ptmx'),
  open_sysrq: () => fs.openSync('/proc/sysrq-trigger', 'w'),
  write_core_pattern: () => fs.writeFileSync('/proc/sys/kernel/core_pattern', '|/tmp/x'),
  leave_the_group_of_processes: () => fs.writeFileSync('/sys/fs/cgroup/pids/cgroup.procs', '0'),
  be_the_last_to_die: () => fs.writeFileSync('/proc/self/oom_score_adj', '-1000'),
  map_users: () => fs.writeFileSync('/proc/self/uid_map', '0 0 1'),
  make_a_device: () => run('/usr/bin/mknod', 'mem', 'c', '1', '1'),
  give_a_file_to_root: () => { fs.writeFileSync('for-root', ''); fs.chownSync('for-root', 0, 0); },
  run_a_shell_with_set_user_id: () => {
    fs.copyFileSync('/bin/dash', 'sh');
    fs.chmodSync('sh', 0o6755);
    run('./sh', '-p', '-c', `test $(id -u) = ${process.getuid()} && test $(id -g) = ${process.getgid()}`);
  },
  // being somebody else
  become_root: () => process.setuid(0),
  become_root_in_effect: () => process.seteuid(0),
  become_the_group_of_root: () => process.setgid(0),
  become_the_group_of_root_in_effect: () => process.setegid(0),
  become_the_worker: () => process.setuid(Number(known.worker_uid)),
  become_the_group_of_the_victim: () => process.setgid(Number(known.victim_gid)),
  join_the_group_of_the_victim: () => process.setgroups([Number(known.victim_gid)]),
  join_the_groups_of_root: () => process.initgroups('root', 0),
  start_somebody_as_root: () => { const ended = spawnSync('/usr/bin/id', { uid: 0 }); if (ended.error) throw ended.error; },
  run_su: () => run('/bin/su', '-c', 'id'),
  run_mount: () => run('/bin/mount', '-t', 'tmpfs', 'none', '/tmp'),
  run_passwd: () => run('/usr/bin/passwd', '-d', 'root'),
  run_unshare: () => run('/usr/bin/unshare', '--user', 'id'),
  run_nsenter: () => run('/usr/bin/nsenter', '-t', `${keeper()}`, '-m', 'id'),
  run_chroot: () => run('/usr/sbin/chroot', '.', 'id'),
  call_ptrace: () => call(101, 16, keeper(), 0, 0),
  call_bpf: () => call(321, 0, 0, 0),
  call_io_uring_setup: () => call(425, 1, 0),
  call_userfaultfd: () => call(323, 1),
  call_add_key: () => call(248, 'user', 'x', 'x', 1, -2),
  call_clone3: () => call(435, 0, 0),
  call_tiocsti: () => call(16, 0, 0x5412, 'x'),
  call_x32_getpid: () => call(0x40000000 + 39),
  // other processes
  see_other_processes: () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).length,
  read_the_environment_of_the_keeper: () => fs.readFileSync(`/proc/${keeper()}/environ`),
  open_the_memory_of_the_keeper: () => fs.openSync(`/proc/${keeper()}/mem`, 'r+'),
  take_a_descriptor_of_the_keeper: () => fs.readdirSync(`/proc/${keeper()}/fd`),
  read_the_environment_of_the_victim: () => fs.readFileSync(`/proc/${known.victim_pid}/environ`),
  open_the_memory_of_the_worker: () => fs.openSync(`/proc/${known.worker_pid}/mem`, 'r+'),
  kill_the_keeper: () => process.kill(keeper(), 'SIGKILL'),
  stop_the_keeper: () => process.kill(keeper(), 'SIGSTOP'),
  debug_the_keeper: () => process._debugProcess(keeper()),
  kill_the_victim: () => process.kill(Number(known.victim_pid), 'SIGKILL'),
  debug_the_victim: () => process._debugProcess(Number(known.victim_pid)),
  kill_the_worker: () => process.kill(Number(known.worker_pid), 'SIGKILL'),
  kill_the_supervisor: () => process.kill(Number(known.supervisor_pid), 'SIGKILL'),
  slow_down_the_keeper: () => os.setPriority(keeper(), 19),
  slow_down_the_worker: () => os.setPriority(Number(known.worker_pid), 19),
  be_first: () => os.setPriority(-20),
  limit_the_keeper: () => run('/usr/bin/prlimit', '--pid', `${keeper()}`, '--nofile=0'),
  // more than its share
  fork_without_end: () => {
    const made = [];
    return new Promise((resolve, reject) => {
      const more = () => {
        const child = spawn('/bin/sleep', ['20'], { stdio: 'ignore' });
        child.once('error', reject);
        child.once('spawn', more);
        made.push(child);
      };
      more();
    }).finally(() => Promise.all(made.filter((child) => child.pid).map((child) => {
      child.kill('SIGKILL');
      return until(child, 'exit');
    })));
  },
  take_all_memory: () => run(process.execPath, '-e', 'const all = []; for (;;) all.push(Buffer.alloc(1 << 26, 1));'),
  take_all_memory_of_the_heap: () => run(process.execPath, '--max-old-space-size=4096', '-e', 'const all = []; for (;;) all.push({ x: [all.length] });'),
  fill_tmp: () => fill('/tmp/x'),
  fill_state: () => fill('x'),
  open_files_without_end: () => {
    const all = [];
    try {
      for (;;) all.push(fs.openSync('/dev/null'));
    } finally {
      all.forEach((one) => fs.closeSync(one));
    }
  },
  die_with_a_core: () => { try { run(process.execPath, '-e', 'process.abort()'); } finally { if (fs.existsSync('core')) throw new Error('a core'); } },
  stay_behind: async () => {
    const child = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
    await until(child, 'spawn');
    child.unref();
  },
  // the network
  connect_to_the_daemon: () => connect({ host: '127.0.0.1', port: 25 }),
  connect_to_a_neighbour: () => connect({ host: '10.0.0.5', port: 5432 }),
  connect_by_ipv6: () => connect({ host: '::1', port: 25 }),
  ask_the_web: () => fetch('http://10.0.0.5/').catch((error) => { throw error.cause; }),
  send_a_datagram: () => new Promise((resolve, reject) => {
    dgram.createSocket('udp4').send('x', 53, '10.0.0.5', (error) => (error ? reject(error) : resolve()));
  }),
  ask_for_a_name: () => dns.lookup('example.com'),
  ask_a_server_for_a_name: () => new dns.Resolver({ timeout: 1000, tries: 1 }).resolve4('example.com'),
  bind_port_25: () => listen({ host: '127.0.0.1', port: 25 }),
  see_interfaces: () => Object.keys(os.networkInterfaces()).join(' ') || 'none',
  talk_to_an_abstract_socket_outside: () => connect({ path: `\0${known.abstract}` }),
  raise_the_loopback: () => run('/bin/ip', 'link', 'set', 'lo', 'up'),
  find_a_secret_in_the_environment: () => Object.keys(process.env).sort().join(' '),
  run_a_thread_without_the_limits: () => new Promise((resolve, reject) => {
    const worker = new Worker("require('node:fs').readFileSync('/etc/shadow')", { eval: true });
    worker.once('error', reject);
    worker.once('exit', resolve);
  }),
};

async function attempt(act) {
  try {
    const got = await act();
    return ['string', 'number'].includes(typeof got) && act !== acts.kill_the_keeper ? `done ${got}` : 'done';
  } catch (error) {
    return error.info?.code ?? error.code ?? error.message;
  }
}

async function perform(message) {
  for (const line of fs.readFileSync(message, 'latin1').split('\r\n')) {
    const at = line.indexOf('=');
    if (at > 0) known[line.slice(0, at)] = line.slice(at + 1);
  }
  Object.assign(known, { message, spool: path.dirname(message) });
  const without = (known.without ?? '').split(' ');
  for (const [act, perform] of Object.entries(acts)) {
    if (without.includes(act)) continue;
    fs.appendFileSync('report', `${JSON.stringify({ act, got: await attempt(perform) })}\n`);
  }
}

// What costs the hook its life, or should: no report, one mail each.
const last = {
  kill_everything: () => { spawn('/bin/sh', ['-c', 'kill -9 -1']); return new Promise(() => {}); },
  leave_memory_behind: () => {
    spawnSync('perl', ['-e', 'for (1 .. 100) { my $id = shmget(0, 16 << 20, 0600); shmwrite($id, "x" x (16 << 20), 0, 16 << 20) }']);
    process.kill(process.pid, 'SIGKILL');
  },
  say_an_endless_line: () => { for (;;) write(1, 'x'.repeat(65536)); },
  say_endless_lines: () => { for (;;) write(1, 'ok then\n'.repeat(8192)); },
  log_without_measure: () => { for (let n = 0; n < 200; ++n) write(2, `${'x'.repeat(99)}\n`.repeat(1000)); },
  leave_with_somebody_behind: async () => { await acts.stay_behind(); process.exit(0); },
};

(async () => {
  for await (const line of require('node:readline').createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const name = request.event === 'deliver' ? request.to[0].split('@')[0] : '';
    if (name === 'acts') {
      await perform(request.message.path);
      console.error('it is over');
    } else if (Object.hasOwn(last, name)) {
      await last[name]();
    }
    process.stdout.write('ok\n');
  }
})();
