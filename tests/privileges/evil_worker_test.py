"""A worker that somebody has taken over tries what is forbidden: the table says what each act gets.

It is another program in the worker's place (evil_worker.cc), which the supervisor starts as it starts the worker. An act that ends it costs a
restart, and the pause before it; so those are spread over several daemons at once."""

import concurrent.futures
import hashlib
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

from harness import hooks, processes
from harness.daemon import BUILD

EVIL = BUILD / "tests/privileges/evil_worker"
PROGRAMS = ("daemon/launcher/hooksmtpd", "daemon/worker/worker", "daemon/keyholder/keyholder", "daemon/tls/tls", "daemon/ctl/hooksmtpctl")
pytestmark = pytest.mark.skipif(not EVIL.exists(), reason="built without it")

KILLED = "killed by signal 31"  # SIGSYS, by its filter
BAD_FRAME = "killed by signal 9: it sent a bad frame"
CLOSED = "killed by signal 9: it closed its control socket"


def each(result: str, names: str) -> dict[str, str]:
    return {name: result for name in names.split()}


# What is on no list of its filter.
REFUSED = each("EPERM", """
    make_setuid_file make_program set_uid_bit make_executable change_owner set_attribute reserve_space own_signals_of choose_signal_of lock_file
    change_mode_by_name change_mode_of_spool change_owner_by_name make_device make_fifo make_folder make_symbolic_link go_into_spool name_to_handle
    open_by_other_call go_elsewhere watch_files watch_file_system follow_link

    socket_pair connect_by_fast_open connect_by_fast_open_message send_to_a_path accept_by_old_call send_many receive_many
    option_fast_open_connect option_repair option_transparent option_mark option_reuse_port option_filter option_bind_to_device
    ask_interfaces push_terminal_input splice_descriptors

    kill_keeper kill_everybody kill_own_group kill_thread_of_keeper kill_by_old_call queue_signal_to_keeper queue_signal_to_its_thread
    kill_supervisor kill_thread_of_supervisor kill_keyholder kill_hook open_keeper open_supervisor signal_by_descriptor compare_processes
    advise_memory_of_keeper wait_for_children new_session join_group raise_own_priority lower_priority_of_keeper bind_keeper_to_processor
    real_time_scheduling raise_open_files raise_processes raise_file_size limit_keeper raise_by_old_call become_root_twice become_group_root_twice
    become_root_for_files become_dumpable let_others_trace keep_capabilities change_secure_bits raise_ambient_capability change_memory_map
    adopt_orphans new_filter new_ruleset

    map_code map_writable_code map_file_as_code make_memory_code make_code_writable make_memory_code_by_key memory_file secret_memory shared_memory
    semaphores message_queue posix_message_queue remap_pages readable_is_executable lock_memory new_file_system open_tree move_mount change_mount
    asynchronous_io unload_module reboot rename_machine set_clock set_clock_by_old_call adjust_clock read_kernel_log add_swap account_processes
    set_quota hang_up_terminal reach_ports change_segments""")

# What its jail does not show or has as read-only, and what Landlock does not give.
OUT_OF_REACH = (
    each("ENOENT", """read_passwd read_shadow read_kernel_settings list_home read_machine_memory open_terminal read_a_path
         read_keeper_environment write_keeper_memory list_keeper_root""")
    | each("EROFS", """make_file_in_root make_file_in_tmp make_unnamed_file_in_root make_file_above_spool link_out_of_spool link_above_spool
           rename_spool_itself remove_above_spool""")
    | each("EACCES", """read_own_program read_own_environment write_own_memory list_proc_root list_own_descriptors list_root list_proc
           write_time_zone write_null_device list_above_spool read_far_above_spool""")
    | each("EXDEV", "link_into_spool rename_out_of_spool") | {"accept_on_control": "EINVAL"})

# What only somebody calls who has taken it over.
KILLING = each(KILLED, """
    open_by_handle change_root socket_tcp socket_tcp6 socket_udp socket_unix socket_netlink socket_packet socket_vsock connect_listener bind_again
    listen_on_control execute execute_descriptor fork vfork clone clone_thread clone3 trace_me trace_keeper read_memory_of_keeper
    write_memory_of_keeper take_descriptor become_root become_group_root become_root_three_times become_group_root_three_times join_groups
    take_capabilities new_user_namespace enter_namespace mount unmount pivot_root add_key request_key control_keys load_bpf
    open_performance_counter handle_page_faults set_up_io_uring enter_io_uring register_io_uring load_kernel load_kernel_file load_module
    load_module_file call_of_32_bits call_of_x32""")

FRAMES = each(BAD_FRAME, """
    frame_of_no_kind frame_of_unknown_kind frame_half_a_header frame_length_too_large frame_length_too_small frame_length_immense frame_too_long
    frame_body_too_short frame_text_too_long frame_with_descriptor frame_with_most_descriptors frame_of_supervisor frame_of_keeper
    frame_of_keyholder frame_second_report frame_drained_too_early frame_configured_unasked frame_pong_unasked
    frame_status_of_tomorrow frame_state_of_no_hook frame_state_of_tomorrow frame_state_of_neither_kind frame_restart_worker frame_restart_of_tomorrow frame_no_such_keyholder
    """) | {"frame_empty": CLOSED}

FLOODS = each("ok", "flood_status flood_states flood_log flood_log_without_line_end forge_log flood_keyholder_lost")

KEYHOLDER = (
    each("refused", "decrypt_as_signature decrypt_small_number sign_any_text sign_nothing sign_with_wrong_method ask_with_descriptors")
    | {"sign_with_unknown_key": "unknown key", "ask_too_much": "too many"}
    | each("closed", """decrypt_by_name sign_of_no_kind sign_too_long sign_immensely_long sign_with_a_tail ask_shortly ask_nothing ask_at_length
           ask_and_never_listen"""))

SHARED_BY = 12  # daemons, of the acts that end a worker


@pytest.fixture(scope="module")
def evil_programs():
    """The build's programs, and the evil worker in the worker's place."""
    with tempfile.TemporaryDirectory(prefix="hooksmtpd-test-evil-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for program in PROGRAMS:
            (folder / program).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(EVIL if program.endswith("/worker") else BUILD / program, folder / program)
        yield folder


class Evil:
    """A daemon whose worker is evil. do(): one act."""

    def __init__(self, daemon) -> None:
        self.daemon, self.socket = daemon, None

    def start(self) -> "Evil":
        self.daemon.hook("recorder", hooks.RECORDER)
        self.daemon.start()
        return self

    def ask(self, order: str) -> str:
        """Its answer; empty: it ended."""
        if self.socket is None:
            with self.daemon.network:
                self.socket = socket.create_connection(("127.0.0.1", 25), 30)
        try:
            self.socket.sendall(order.encode() + b"\n")
            said = b""
            while not said.endswith(b"\n"):
                piece = self.socket.recv(65536)
                if not piece:
                    raise ConnectionResetError
                said += piece
            return said.decode().strip()
        except (ConnectionResetError, BrokenPipeError):
            self.socket.close()
            self.socket = None
            return ""

    def do(self, act: str, argument: object = "") -> str:
        before = self.daemon.log.mark()
        if answer := self.ask(f"{act} {argument}"):
            return answer
        end = self.daemon.log.wait(r'worker exit (?:signal|status)=(\d+) ran_ms=\d+(?: reason="([^"]*)")?', before)
        # What the supervisor had against it. Where the kernel killed it, the supervisor may have seen the end of the socket first.
        return f"killed by signal {end[1]}" + (f": {end[2]}" if end[2] and end[1] != "31" else "")

    def close(self) -> None:
        if self.socket:
            self.socket.close()


@pytest.fixture
def evil(make_daemon, evil_programs):
    made = []

    def make(config: str = "") -> Evil:
        made.append(Evil(make_daemon(config, programs=evil_programs)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def check(got: dict[str, str], expected: dict[str, str]) -> None:
    wrong = {act: f"{got.get(act)}, not {expected.get(act)}" for act in sorted(got.keys() | expected) if got.get(act) != expected.get(act)}
    assert not wrong, "\n".join(f"{act}: {how}" for act, how in wrong.items())


def alive(evil: Evil) -> bool:
    """Whether supervisor, keepers and hooks are what they were, and the supervisor answers."""
    return evil.daemon.control_json("status", status=0)["pid"] == evil.daemon.pid


def test_every_act_is_in_the_table(evil):
    names = evil().start().ask("list").split()
    table = [*REFUSED, *OUT_OF_REACH, *KILLING, *FRAMES, *FLOODS, *KEYHOLDER]
    assert len(table) == len(set(table)) and len(table) >= 80
    assert sorted(names) == sorted(table)


def test_what_is_refused_to_a_worker_that_was_taken_over(evil):
    one = evil().start()
    tree = {process.pid for process in one.daemon.tree()}
    (hook,) = one.daemon.hook_processes("recorder")
    with one.daemon.network:
        listener = socket.create_server(("127.0.0.1", 0))
    arguments = {"kill_supervisor": one.daemon.pid, "kill_thread_of_supervisor": one.daemon.pid, "open_supervisor": one.daemon.pid,
                 "kill_keyholder": one.daemon.pid, "kill_hook": hook.pid, "read_a_path": one.daemon.file,
                 "send_to_a_path": one.daemon.runtime / "control"}
    arguments |= {act: listener.getsockname()[1] for act in ("connect_by_fast_open", "connect_by_fast_open_message")}
    # Those that shut the listener down come last.
    acts = sorted(REFUSED | OUT_OF_REACH, key=lambda act: act.startswith("connect_by"))
    got = {act: one.do(act, arguments.get(act, "")) for act in acts}
    check(got, REFUSED | OUT_OF_REACH)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()
    assert {process.pid for process in one.daemon.tree()} == tree


def test_what_ends_a_worker_that_was_taken_over(evil):
    daemons = [evil().start() for _ in range(SHARED_BY)]
    acts: queue.Queue[str] = queue.Queue()
    expected = KILLING | FRAMES
    for act in expected:
        acts.put(act)
    got: dict[str, str] = {}

    def work(one: Evil) -> None:
        while True:
            try:
                act = acts.get_nowait()
            except queue.Empty:
                return
            got[act] = one.do(act)

    with concurrent.futures.ThreadPoolExecutor(SHARED_BY) as threads:
        list(threads.map(work, daemons))
    check(got, expected)
    for one in daemons:
        assert alive(one)


def test_floods_do_not_keep_the_supervisor_from_its_work(evil):
    one = evil('[tls]\nmode = "starttls"').start()
    for act in FLOODS:
        answers: list[str] = []
        flood = threading.Thread(target=lambda: answers.append(one.do(act)))
        flood.start()
        assert alive(one)
        flood.join()
        assert answers == [FLOODS[act]], act
    assert alive(one)
    assert "\x1b" not in one.daemon.log.text and "\x07" not in one.daemon.log.text


def test_the_keyholder_signs_what_a_server_signs_and_nothing_else(evil):
    one = evil()
    folder = one.daemon.folder / "etc"
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=mail.test",
                    "-addext", "subjectAltName=DNS:mail.test"], check=True, capture_output=True)
    key.chmod(0o600)
    certificate.chmod(0o644)
    one.daemon.config = f'[tls]\nmode = "starttls"\ncertificate = "{certificate}"\nkey = "{key}"\n'
    one.start()
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    name = hashlib.sha256(public).hexdigest()
    got = {act: one.do(act, name) for act in KEYHOLDER}
    check(got, KEYHOLDER)
    assert alive(one)
    assert not one.daemon.log.lines("keyholder exit")
