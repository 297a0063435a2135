#include "server/server.hpp"

#include <unistd.h>

#include "server/site.hpp"
#include "server/wire.hpp"

namespace headroom::server {

std::string random_token() { return random_hex(16); }

struct Server::Parts {
  std::string host, token;
  // The wire goes first: nobody asks a site that is gone.
  std::unique_ptr<Site> site;
  std::unique_ptr<Wire> wire;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::open(const Options& options, Door door) {
  WorkFile file(options.file);
  if (file.given())
    if (const auto text = file.read(); !text) return failure(text.error());
  auto wire = Wire::open(options.host, options.port, options.limits);
  if (!wire) return failure(wire.error());
  auto parts = std::make_unique<Parts>();
  parts->host = options.host;
  parts->token = options.token;
  parts->wire = std::move(*wire);
  parts->site = std::make_unique<Site>(options, std::move(door), parts->wire->port());
  parts->wire->serve(*parts->site);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

int Server::port() const { return parts_->wire->port(); }

std::string Server::url() const {
  std::string host = parts_->host;
  if (host == "0.0.0.0" || host == "::") {  // every address: the name that others know
    char name[256] = "localhost";
    (void)::gethostname(name, sizeof name - 1);
    host = name;
  }
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const std::string query = parts_->token.empty() ? "" : "?token=" + parts_->token;
  return "http://" + host + ":" + std::to_string(port()) + "/" + query;
}

void Server::stop() {
  parts_->wire->stop();
  parts_->site->jobs().stop();
}

}  // namespace headroom::server
