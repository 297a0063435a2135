// A temperature is not a temperature difference.
// expect: conversion from|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
TemperatureDifference rise = 12 * kelvin;
#else
TemperatureDifference rise = Temperature::celsius(12);
#endif
