#include "requests/text_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace headroom::requests {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Diagnostics> refuse(const std::string& path, std::string message,
                                   std::string hint = {}) {
  Diagnostic d;
  d.file = path;
  d.message = std::move(message);
  d.hint = std::move(hint);
  return failure(std::move(d));
}

std::string nearest_file(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (const auto& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return did_you_mean(path.filename().string(), names);
}

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

Result<std::string> read_bytes(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return refuse(path, "no such file", nearest_file(path));
  if (fs::is_directory(path, error))
    return refuse(path, "is a folder, expected a trace", "only ServeGen's data stand in folders");
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return refuse(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  std::string text;
  const auto size = fs::file_size(path, error);
  if (!error) text.reserve(size + 1);
  char block[1 << 16];
  while (const auto n = std::fread(block, 1, sizeof block, file.get())) text.append(block, n);
  if (std::ferror(file.get()) != 0) return refuse(path, "ends in a read error");
  return text;
}

bool is_gzip(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

/// All members of a gzip file, one after another (RFC 1952, 2.2).
Result<std::string> gunzip(const std::string& bytes, const std::string& path) {
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return refuse(path, "zlib cannot start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&z, inflateEnd);
  std::string text;
  std::size_t at = 0, have = 0;
  text.resize(std::max<std::size_t>(1 << 16, bytes.size() * 4));
  while (true) {
    if (have == text.size()) text.resize(text.size() * 2);
    const auto give = std::min<std::size_t>(bytes.size() - at, 1u << 30);
    const auto room = std::min<std::size_t>(text.size() - have, 1u << 30);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
    z.avail_in = static_cast<uInt>(give);
    z.next_out = reinterpret_cast<Bytef*>(text.data() + have);
    z.avail_out = static_cast<uInt>(room);
    const int status = inflate(&z, Z_NO_FLUSH);
    at += give - z.avail_in;
    have += room - z.avail_out;
    if (status == Z_STREAM_END) {
      if (!is_gzip(std::string_view(bytes).substr(at))) break;  // padding, or the end
      inflateReset(&z);
    } else if (status == Z_BUF_ERROR && at == bytes.size()) {
      return refuse(path, "the gzip file ends too early", "it was cut off; fetch it again");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return refuse(path, fmt::format("the gzip file is damaged: {}", z.msg ? z.msg : "bad data"));
    }
  }
  text.resize(have);
  return text;
}

Result<std::string> gzip(const std::string& text, const std::string& path) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return refuse(path, "zlib cannot start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&z, deflateEnd);
  std::string out;
  std::size_t at = 0;
  std::vector<char> block(1 << 18);
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const auto give = std::min<std::size_t>(text.size() - at, 1u << 30);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data() + at));
    z.avail_in = static_cast<uInt>(give);
    z.next_out = reinterpret_cast<Bytef*>(block.data());
    z.avail_out = static_cast<uInt>(block.size());
    status = deflate(&z, at + give == text.size() ? Z_FINISH : Z_NO_FLUSH);
    if (status == Z_STREAM_ERROR) return refuse(path, "zlib refuses the data");
    at += give - z.avail_in;
    out.append(block.data(), block.size() - z.avail_out);
  }
  return out;
}

/// An octal field of a tar header; 0 for anything else.
std::uint64_t octal(const char* field, std::size_t n) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n && field[i] != '\0'; ++i) {
    if (field[i] < '0' || field[i] > '7') continue;
    value = value * 8 + static_cast<std::uint64_t>(field[i] - '0');
  }
  return value;
}

std::string tar_name(const char* header) {
  const auto text = [&](std::size_t at, std::size_t n) {
    return std::string(header + at, strnlen(header + at, n));
  };
  const auto prefix = text(345, 155);
  return prefix.empty() ? text(0, 100) : prefix + "/" + text(0, 100);
}

Result<std::vector<Member>> members_of_tar(const std::string& tar, const std::string& path) {
  std::vector<Member> out;
  std::string long_name;
  for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    const char* header = tar.data() + at;
    const auto size = octal(header + 124, 12);
    if (size > tar.size() - at - 512)
      return refuse(path, fmt::format("the archive ends within '{}'", tar_name(header)));
    const char kind = header[156];
    std::string content = tar.substr(at + 512, size);
    if (kind == 'L') {  // GNU: the name of the next member
      long_name = content.c_str();
    } else if (kind == '0' || kind == '\0') {
      out.emplace_back(long_name.empty() ? tar_name(header) : long_name, std::move(content));
      long_name.clear();
    }
    at += 512 + (size + 511) / 512 * 512;
  }
  return out;
}

Result<std::vector<Member>> members_of_folder(const std::string& path) {
  std::vector<Member> out;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; it != end && !error;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    auto text = load_text(it->path().string());
    if (!text) return failure(std::move(text.error()));
    out.emplace_back(fs::relative(it->path(), path, error).generic_string(), std::move(*text));
  }
  if (error) return refuse(path, "cannot be listed: " + error.message());
  return out;
}

}  // namespace

bool is_tar(std::string_view text) { return text.size() >= 512 && text.substr(257, 5) == "ustar"; }

Result<std::string> load_text(const std::string& path) {
  auto bytes = read_bytes(path);
  if (!bytes || !is_gzip(*bytes)) return bytes;
  return gunzip(*bytes, path);
}

Result<std::size_t> save_text(const std::string& text, const std::string& path) {
  const bool compressed = path.size() > 3 && path.ends_with(".gz");
  std::string packed;
  if (compressed) {
    auto made = gzip(text, path);
    if (!made) return failure(std::move(made.error()));
    packed = std::move(*made);
  }
  const std::string& bytes = compressed ? packed : text;
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "wb"));
  if (!file) return refuse(path, fmt::format("cannot be written: {}", std::strerror(errno)));
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  if (std::fclose(file.release()) != 0 || !whole)
    return refuse(path, "was not written whole: is the disk full?");
  return text.size();
}

Result<std::vector<Member>> load_members(const std::string& path) {
  std::error_code error;
  auto members = [&]() -> Result<std::vector<Member>> {
    if (fs::is_directory(path, error)) return members_of_folder(path);
    auto text = load_text(path);
    if (!text) return failure(std::move(text.error()));
    if (!is_tar(*text)) return refuse(path, "is not a tar archive");
    return members_of_tar(*text, path);
  }();
  if (members)
    std::sort(members->begin(), members->end(),
              [](const Member& a, const Member& b) { return a.first < b.first; });
  return members;
}

}  // namespace headroom::requests
