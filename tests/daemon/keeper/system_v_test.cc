#include "daemon/keeper/system_v.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <initializer_list>

#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd;
using sys::error_of;

namespace {

constexpr int kNoNamespace = 77, kNotMade = 78;

}  // namespace

TEST_CASE("nothing of System V is left, with any mode") {
  const int status = sys::exit_status(sys::in_child([] {
    if (::unshare(CLONE_NEWIPC) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWIPC) != 0) return kNoNamespace;
    for (const int mode : {0600, 0}) {
      const int memory = ::shmget(IPC_PRIVATE, 4096, mode), other = ::shmget(IPC_PRIVATE, 4096, mode);
      const int semaphores = ::semget(IPC_PRIVATE, 3, mode), queue = ::msgget(IPC_PRIVATE, mode);
      if (memory < 0 || other < 0 || semaphores < 0 || queue < 0) return kNotMade;
      keeper::remove_system_v_objects();
      if (error_of(::shmctl(memory, IPC_RMID, nullptr)) == 0 || error_of(::shmctl(other, IPC_RMID, nullptr)) == 0)
        return 1;
      if (error_of(::semctl(semaphores, 0, IPC_RMID)) == 0) return 2;
      if (error_of(::msgctl(queue, IPC_RMID, nullptr)) == 0) return 3;
    }
    return 0;
  }));
  if (status == kNoNamespace) {
    MESSAGE("no namespace of its own to be had here");
    return;
  }
  CHECK(status == 0);
}
