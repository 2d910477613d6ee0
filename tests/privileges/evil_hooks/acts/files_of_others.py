"""Files of others: hooks, the daemon, its keys; and what the daemon gave this one to read."""

import os, socket

from acts.act import act, Got, HERE, KNOWN, write


@act
def read_a_file_of_another_hook(): open(KNOWN["victim_file"]).read()
@act
def write_beside_it(): write(os.path.dirname(KNOWN["victim_file"]) + "/x")
@act
def walk_up_to_it(): open(f"{HERE}/../victim/{os.path.basename(KNOWN['victim_file'])}").read()
@act
def follow_a_link_to_it():
    os.symlink(KNOWN["victim_file"], "link-to-victim")
    open("link-to-victim").read()
@act
def see_who_has_state(): raise Got("done " + " ".join(sorted(os.listdir(HERE + "/.."))))
@act
def make_state_for_a_stranger(): os.mkdir(HERE + "/../stranger")
@act
def make_state_readable_by_all(): os.chmod(HERE, 0o777)
@act
def give_state_away(): os.chown(HERE, os.getuid(), os.getgid())
@act
def move_state_away(): os.rename(HERE, HERE + ".old")
@act
def read_a_message_of_another_hook(): open(KNOWN["victim_message"]).read()
@act
def see_who_has_a_spool(): raise Got("done " + " ".join(sorted(os.listdir(os.path.dirname(KNOWN["spool"])))))
@act
def list_own_spool(): os.listdir(KNOWN["spool"])
@act
def write_into_own_spool(): write(KNOWN["spool"] + "/x")
@act
def change_own_message(): write(KNOWN["message"], mode="a")
@act
def remove_own_message(): os.unlink(KNOWN["message"])
@act
def keep_own_message_by_a_link(): os.link(KNOWN["message"], "kept")
@act
def make_own_message_executable(): os.chmod(KNOWN["message"], 0o4777)
@act
def talk_to_a_socket_of_another_hook(): socket.socket(socket.AF_UNIX).connect(KNOWN["victim_socket"])
@act
def talk_to_the_supervisor(): socket.socket(socket.AF_UNIX).connect(KNOWN["control"])
@act
def read_the_configuration(): open(KNOWN["config"]).read()
@act
def read_the_private_key(): open(KNOWN["key"]).read()
