"""Putting in order an attempt whose money and books differ (GAT-4): nothing is ever tried again by itself.

``cases`` says which remedies a case allows and for how much, ``preparing`` writes one for a second person to approve,
``carrying`` gives the money back, ``closing`` ends the case.
"""
