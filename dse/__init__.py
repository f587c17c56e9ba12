"""The framework: prices, searches and shows designs; knows no paper."""
