// What the engine says of the requests that a load sent. Internal to api.
#pragma once

#include "api/load.hpp"
#include "catalog/catalog.hpp"
#include "requests/request.hpp"

namespace headroom::api {

/// Mistakes in the deployment's options, before anything is sent.
Diagnostics check_deployment(const LoadRequest& request, const catalog::Catalog& catalog);

/// The good requests as a stream of their own: at the times they were sent and with the tokens the
/// server counted. A turn follows its predecessor, and in a closed loop a request follows the one
/// whose end made room for it, so a prediction slower than the server does not pile up a queue
/// that the loop would not have made.
requests::Stream sent_stream(const requests::Stream& stream, const std::vector<LoadSample>& samples,
                             bool closed);

/// Fills `answer.comparison`; a failure becomes a note.
void compare(const LoadRequest& request, const catalog::Catalog& catalog,
             const requests::Stream& stream, LoadAnswer& answer);

}  // namespace headroom::api
