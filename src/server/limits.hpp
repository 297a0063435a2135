// How much a client of the server may ask for. Each bounds memory, threads or time; what goes
// beyond is refused with a status that says so (413, 429, 431, 503), never queued without end.
#pragma once

#include <chrono>
#include <cstddef>

namespace headroom::server {

struct Limits {
  std::size_t head_bytes = 32 << 10;    ///< request line and headers
  std::size_t body_bytes = 4 << 20;     ///< as large as a scenario may be (spec::max_bytes)
  std::size_t text_bytes = 256 << 10;   ///< scenario and options of one run: what a run needs of
                                        ///< memory grows with them, about 2 KiB a byte
  std::size_t bodies_bytes = 64 << 20;  ///< of all requests at work, together
  int connections = 256;
  int runs = 2;                            ///< synchronous runs at a time; others wait their turn
  std::chrono::milliseconds turn{10'000};  ///< longest such wait
  std::chrono::milliseconds idle{15'000};  ///< a connection between requests
  std::chrono::milliseconds head_time{10'000};   ///< first byte of a request to the end of its head
  std::chrono::milliseconds body_time{30'000};   ///< end of the head to the end of the body
  std::chrono::milliseconds write_time{20'000};  ///< of an answer, and a second more a 64 KiB

  int jobs_running = 2;
  std::size_t jobs_waiting = 64;
  std::size_t waiting_bytes = 32 << 20;  ///< scenarios of jobs that wait
  std::size_t jobs_kept = 64;            ///< that ended
  std::size_t kept_bytes = 64 << 20;     ///< their results; the oldest go first
  std::chrono::milliseconds kept{600'000};
  std::chrono::milliseconds heartbeat{5'000};  ///< of a silent event stream
  std::chrono::milliseconds tick{100};         ///< progress is looked at this often
  int job_threads = 1;                         ///< of one job's search
  int report_threads = 2;                      ///< of one report
};

}  // namespace headroom::server
