// The executable's own malloc family: counts, then calls glibc's. A library must not do this; the program may.
#define _GNU_SOURCE
#include "CBenchmark.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

static atomic_uint_fast64_t count, own_count;
static _Thread_local uint64_t thread_count;

// The code of the program and of Swift's libraries.
static struct {
  uintptr_t start, end;
} own[64];
static size_t own_pieces;

// The program comes first, without a name.
static int note_object(struct dl_phdr_info *object, size_t size, void *data) {
  (void)size, (void)data;
  const char *slash = strrchr(object->dlpi_name, '/');
  const char *name = slash ? slash + 1 : object->dlpi_name;
  if (name[0] != 0 && strncmp(name, "libswift", 8) != 0 && strncmp(name, "libFoundation", 13) != 0) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
    if (own_pieces == sizeof own / sizeof own[0]) return 1;
    own[own_pieces].start = object->dlpi_addr + segment->p_vaddr;
    own[own_pieces].end = own[own_pieces].start + segment->p_memsz;
    own_pieces++;
  }
  return 0;
}

__attribute__((constructor)) static void find_own_code(void) { dl_iterate_phdr(note_object, NULL); }

static void note(const void *caller) {
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  for (size_t i = 0; i < own_pieces; i++)
    if ((uintptr_t)caller - own[i].start < own[i].end - own[i].start) {
      atomic_fetch_add_explicit(&own_count, 1, memory_order_relaxed);
      thread_count++;
      return;
    }
}

bool apus_counts_allocations(void) { return true; }
uint64_t apus_allocation_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }
uint64_t apus_own_allocation_count(void) { return atomic_load_explicit(&own_count, memory_order_relaxed); }
uint64_t apus_thread_allocation_count(void) { return thread_count; }

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  note(__builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
  note(__builtin_return_address(0));
  return __libc_calloc(items, size);
}

void *realloc(void *block, size_t size) {
  note(__builtin_return_address(0));
  return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
  note(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  note(__builtin_return_address(0));
  void *result = __libc_memalign(alignment, size);
  if (result == NULL) return ENOMEM;
  *block = result;
  return 0;
}

#else

bool apus_counts_allocations(void) { return false; }
uint64_t apus_allocation_count(void) { return 0; }
uint64_t apus_own_allocation_count(void) { return 0; }
uint64_t apus_thread_allocation_count(void) { return 0; }

#endif
