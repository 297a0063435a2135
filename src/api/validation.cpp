#include "api/validation.hpp"

namespace headroom::api {

Result<std::string> validate_train(const ValidateTrain& request) {
  if (request.page) return validation::train_page(request.options);
  const auto v = validation::validate_train(request.options);
  if (!v) return failure(v.error());
  return request.json ? validation::to_json(*v, request.options)
                      : validation::to_text(*v, request.options);
}

}  // namespace headroom::api
