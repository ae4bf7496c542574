"""Attributes that TMF669 Party Role alone has (see engine.attributes)."""

TABLE = """
AccountRef: id href description name! @referredType
ContactMedium: mediumType! preferred:flag characteristic:MediumCharacteristic! validFor:TimePeriod
CreditProfile: creditProfileDate:time! creditRiskRating:whole creditScore:whole
  validFor:TimePeriod!
PartyRole: id href name status statusReason account:AccountRef* agreement:AgreementRef*
  characteristic:Characteristic* contactMedium:ContactMedium* creditProfile:CreditProfile*
  engagedParty:RelatedParty paymentMethod:PaymentMethodRef* relatedParty:RelatedParty*
  validFor:TimePeriod
RelatedParty: id! href name role @referredType!
"""
