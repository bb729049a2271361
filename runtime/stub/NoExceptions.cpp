// What the standard library does when it would throw. A compiled program has no exceptions: it says
// what happened and ends. With these definitions the linker leaves libstdc++'s exception machinery,
// a third of the program, in its archive.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <unistd.h>

namespace {
constexpr int kOutOfResources = 5, kOurBug = 70;

[[noreturn]] void end(int code, const char *what, const char *detail = "") {
  fflush(stdout);
  fprintf(stderr, "error: %s%s\n", what, detail);
  _exit(code);
}

[[noreturn]] void outOfMemory() { end(kOutOfResources, "out of memory"); }
[[noreturn]] void ourBug(const char *what) {
  end(kOurBug, "internal error, please report it: ", what);
}

void *allocate(size_t bytes) { return malloc(bytes ? bytes : 1); }
} // namespace

void *operator new(size_t bytes) {
  if (void *memory = allocate(bytes))
    return memory;
  outOfMemory();
}
void *operator new[](size_t bytes) { return operator new(bytes); }
void *operator new(size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes); }
void *operator new[](size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes); }
void *operator new(size_t bytes, std::align_val_t alignment) {
  size_t step = static_cast<size_t>(alignment);
  if (void *memory = aligned_alloc(step, (bytes + step - 1) / step * step))
    return memory;
  outOfMemory();
}
void *operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t &) noexcept {
  size_t step = static_cast<size_t>(alignment);
  return aligned_alloc(step, (bytes + step - 1) / step * step);
}
void operator delete(void *memory) noexcept { free(memory); }
void operator delete[](void *memory) noexcept { free(memory); }
void operator delete(void *memory, size_t) noexcept { free(memory); }
void operator delete[](void *memory, size_t) noexcept { free(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void *memory, size_t, std::align_val_t) noexcept { free(memory); }

namespace std {
void __throw_bad_alloc() { outOfMemory(); }
void __throw_bad_array_new_length() { outOfMemory(); }
void __throw_bad_function_call() { ourBug("an empty function was called"); }
void __throw_length_error(const char *what) { ourBug(what); }
void __throw_logic_error(const char *what) { ourBug(what); }
void __throw_invalid_argument(const char *what) { ourBug(what); }
void __throw_out_of_range(const char *what) { ourBug(what); }
void __throw_out_of_range_fmt(const char *what, ...) { ourBug(what); }
} // namespace std

// Named by the catch blocks and unwind tables of functions in libstdc++.a; reached only while an
// exception flies.
extern "C" {
void __gxx_personality_v0() { ourBug("an exception was thrown"); }
void *__cxa_allocate_exception(size_t) { ourBug("an exception was thrown"); }
void __cxa_free_exception(void *) { ourBug("an exception was thrown"); }
void *__cxa_begin_catch(void *) { ourBug("an exception was caught"); }
void __cxa_end_catch() { ourBug("an exception was caught"); }
void __cxa_rethrow() { ourBug("an exception was thrown again"); }
void __cxa_throw(void *, void *, void (*)(void *)) { ourBug("an exception was thrown"); }
void _Unwind_Resume(void *) { ourBug("an exception was thrown"); }
}
