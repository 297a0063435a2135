// A price per kilowatt-hour times a power is not an amount of money.
// expect: conversion from|could not convert|cannot convert|no viable conversion
#include "base/quantity.hpp"

using namespace headroom;

#ifdef POSITIVE
Money bill(EnergyPrice price, Energy used) { return price * used; }
#else
Money bill(EnergyPrice price, Power used) { return price * used; }
#endif
