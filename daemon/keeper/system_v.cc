#include "daemon/keeper/system_v.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

namespace hooksmtpd::keeper {
namespace {

// semctl(2): "the calling program must define this".
union SemaphoreArgument {
  int value;
  semid_ds* status;
  seminfo* limits;
};

// Each kind has a table; these return its highest index, and what stands at one of them.
struct SharedMemory {
  static int highest() {
    shm_info info{};
    return ::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&info));
  }
  static int at(int index) {
    shmid_ds status{};
    return ::shmctl(index, SHM_STAT_ANY, &status);
  }
  static void remove(int id) { ::shmctl(id, IPC_RMID, nullptr); }
};

struct Semaphores {
  static int highest() {
    seminfo info{};
    return ::semctl(0, 0, SEM_INFO, SemaphoreArgument{.limits = &info});
  }
  static int at(int index) {
    semid_ds status{};
    return ::semctl(index, 0, SEM_STAT_ANY, SemaphoreArgument{.status = &status});
  }
  static void remove(int id) { ::semctl(id, 0, IPC_RMID); }
};

struct MessageQueues {
  static int highest() {
    msginfo info{};
    return ::msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&info));
  }
  static int at(int index) {
    msqid_ds status{};
    return ::msgctl(index, MSG_STAT_ANY, &status);
  }
  static void remove(int id) { ::msgctl(id, IPC_RMID, nullptr); }
};

template <class Kind>
void remove_all() {
  const int highest = Kind::highest();
  for (int index = 0; index <= highest; ++index) {
    const int id = Kind::at(index);
    if (id >= 0) Kind::remove(id);
  }
}

}  // namespace

void remove_system_v_objects() {
  remove_all<SharedMemory>();
  remove_all<Semaphores>();
  remove_all<MessageQueues>();
}

}  // namespace hooksmtpd::keeper
