// A file that exists only in memory, for code under test that reads files.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.hpp"

namespace fuzz {

class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : fd_(memfd_create("fuzz.yaml", 0)) {
    std::size_t done = 0;
    while (fd_ >= 0 && done < size) {
      const auto n = write(fd_, data + done, size - done);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    require(fd_ >= 0 && done == size, "the input is written");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(fd_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace fuzz
