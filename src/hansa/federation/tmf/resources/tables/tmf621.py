"""Attributes that TMF621 Trouble Ticket alone has (see engine.attributes)."""

TABLE = """
Note: id author date:time text
RelatedEntity: id! href name role! @referredType!
RelatedParty: id! href name role @referredType!
StatusChange: changeDate:time changeReason status
TroubleTicket: id href creationDate:time description expectedResolutionDate:time externalId
  lastUpdate:time name priority requestedResolutionDate:time resolutionDate:time severity
  statusChangeDate:time statusChangeReason ticketType attachment:AttachmentRefOrValue*
  channel:ChannelRef note:Note* relatedEntity:RelatedEntity* relatedParty:RelatedParty*
  status:TroubleTicketStatusType statusChange:StatusChange*
  troubleTicketRelationship:TroubleTicketRelationship*
TroubleTicketRelationship: id href name relationshipType
TroubleTicketStatusType = acknowledged | rejected | pending | held | inProgress | cancelled |
  closed | resolved
"""
