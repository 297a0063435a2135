#include "server/server.hpp"

#include <unistd.h>

#include "api/headroom.hpp"
#include "server/site.hpp"
#include "server/wire.hpp"

namespace headroom::server {

std::string random_token() { return random_hex(16); }

namespace {

/// The name that others know this machine by, where every address is listened on.
std::string own_name(const std::string& host) {
  if (host != "0.0.0.0" && host != "::") return host;
  char name[256] = "localhost";
  (void)::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

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
  if (!options.catalog.empty())
    if (const auto kinds = api::list_catalog(options.catalog, "", "", true); !kinds)
      return failure(kinds.error());
  auto wire = Wire::open(options.host, options.port, options.limits);
  if (!wire) return failure(wire.error());
  auto parts = std::make_unique<Parts>();
  Options own = options;
  own.host = parts->host = own_name(options.host);
  parts->token = options.token;
  parts->wire = std::move(*wire);
  parts->site = std::make_unique<Site>(own, std::move(door), parts->wire->port());
  parts->wire->serve(*parts->site);
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

int Server::port() const { return parts_->wire->port(); }

std::string Server::url() const {
  std::string host = parts_->host;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const std::string query = parts_->token.empty() ? "" : "?token=" + parts_->token;
  return "http://" + host + ":" + std::to_string(port()) + "/" + query;
}

void Server::stop() {
  parts_->site->ask_stop();
  parts_->wire->stop();
  parts_->site->stop();
}

}  // namespace headroom::server
